"""What a device's code comes to, for a device that waits to be told.

Owns what it is told: that somebody looks at the request, and how it ended. Nothing that is told is worth anything: the
device asks the token endpoint, as one that polls does. Called by the channel of devices.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, assert_never

from msgspec import Struct

from bjidp.clock import SECOND
from bjidp.oidc.devices.asking import flow_of
from bjidp.qrlogin import machine
from bjidp.qrlogin.devices import DeviceTickets, Seen
from bjidp.qrlogin.ticket import Approved, Pending, Redeemed, Rejected, Scanned, Superseded, Verifying


class Outcome(StrEnum):
    """What a code has come to so far."""

    PENDING = "pending"
    SCANNED = "scanned"
    """A phone or a page has taken it: its code need not be shown any more."""
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    OVER = "over"
    """It was redeemed."""


OPEN: Final = frozenset({Outcome.PENDING, Outcome.SCANNED})
"""What may still change."""


class Watch(Struct, frozen=True):
    """One device that waits."""

    name: str
    watcher: str


class Told(Struct, frozen=True):
    """What it is told, and in how many seconds the clock changes that."""

    outcome: Outcome
    turn_in: float


class DeviceWatching:
    """Lets devices wait."""

    def __init__(self, tickets: DeviceTickets) -> None:
        """Watch ``tickets``."""
        self._tickets = tickets

    async def begin(self, device_code: str) -> Watch:
        """Let whoever has a device code wait; raise ``TicketUnknown`` for one that is none."""
        name = flow_of(device_code)
        return Watch(name, await self._tickets.watch(name))

    def subscribe(self, watch: Watch, wake: Callable[[], None]) -> Callable[[], None]:
        """Call ``wake`` whenever there may be news; subscribe before the first look."""
        return self._tickets.subscribe(watch.name, wake)

    async def look(self, watch: Watch) -> Told | None:
        """Return what there is to tell; None once two others wait for the same code."""
        seen = await self._tickets.watched(watch.name, watch.watcher)
        return None if seen is None else told(seen)

    async def leave(self, watch: Watch) -> None:
        """Forget a device that has gone."""
        await self._tickets.leave(watch.name, watch.watcher)


def told(seen: Seen) -> Told:
    """Return what a ticket comes to at the moment it was seen."""
    if machine.has_expired(seen.ticket, seen.now):
        return Told(Outcome.EXPIRED, 0.0)
    state = seen.ticket.state
    match state:
        case Pending():
            return Told(Outcome.PENDING, (state.deadline - seen.now) / SECOND)
        case Scanned() | Verifying():
            return Told(Outcome.SCANNED, (state.deadline - seen.now) / SECOND)
        case Approved():
            return Told(Outcome.APPROVED, 0.0)
        case Rejected():
            return Told(Outcome.DENIED, 0.0)
        case Redeemed() | Superseded():
            return Told(Outcome.OVER, 0.0)
        case _:
            assert_never(state)
