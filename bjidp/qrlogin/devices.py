"""Device tickets: shown by something that has no browser here, redeemed by whoever asked for it (RFC 8628).

Owns how such a ticket is made, looked at, watched and claimed. It has a flow of its own without a browser, which no
page can open; what it is for is in the ticket and was fixed when that was made (attack Q19). Who asks and what is given
for an approval is :mod:`bjidp.oidc.devices`, which calls this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
from msgspec import Struct

from bjidp.clock import SECOND, Instant
from bjidp.entropy import Entropy, base64url, token
from bjidp.errors import StoreUnavailable
from bjidp.qrlogin import flow as flows
from bjidp.qrlogin import machine
from bjidp.qrlogin.changes import LIFETIME, FlowChanges
from bjidp.qrlogin.errors import TicketExpired, TicketUnknown
from bjidp.qrlogin.flow import Client, Flow, Purposeful, Watcher
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.phones import shaped
from bjidp.qrlogin.policy import Purpose, QrPolicy
from bjidp.qrlogin.ticket import Computer, Device, Holder, Redeemed, Ticket
from bjidp.signals.ports import SignalBus

NO_BROWSER: Final = ""

log = structlog.get_logger(__name__)


class Frames(Struct, frozen=True):
    """What a device makes rotating frames with, as a page does (wire.md, section 2); times in seconds."""

    key: str
    step: float
    elapsed: float


class Seen(Struct, frozen=True):
    """A device ticket at one moment of the ticket store's clock."""

    ticket: Ticket
    device: Device
    now: Instant


class DeviceTickets:
    """The device tickets there are, each by the name its owner gave its flow."""

    def __init__(
        self,
        *,
        changes: FlowChanges,
        bus: SignalBus,
        keys: QrKeys,
        policy: QrPolicy,
        entropy: Entropy,
        prefix: str,
    ) -> None:
        """``prefix`` is what every QR text begins with."""
        self._changes = changes
        self._bus = bus
        self._keys = keys
        self._policy = policy
        self._entropy = entropy
        self._prefix = prefix

    async def make(self, name: str, client: Client, device: Device, computer: Computer) -> Ticket:
        """Return a ticket under the unguessable ``name``; ``computer`` is what the server sees of who asks."""
        now = await self._changes.store.now()
        ticket = machine.issue_for(device, token(self._entropy, 128), computer, self._policy, now)
        flow = flows.start(name, NO_BROWSER, 0, Purposeful(Purpose.DEVICE, client, ""), ticket)
        await self._changes.store.add(flow, LIFETIME)
        return ticket

    def text(self, ticket: Ticket) -> str:
        """Return what a QR code of the ticket says; where it shows frames, what each of them begins with."""
        return self._prefix + ticket.id

    def frames(self, ticket: Ticket) -> Frames:
        """Return what frames of a ticket that was made just now are made with."""
        key = self._keys.frame_key(ticket.purpose, ticket.id)
        return Frames(base64url(key), self._policy.step / SECOND, 0.0)

    async def find(self, name: str) -> Seen | None:
        """Return the ticket under a name, or None."""
        held = await self._changes.store.read(name)
        return None if held is None else _seen(held.value, held.now)

    async def watch(self, name: str) -> str:
        """Let a device watch, and return what it is called; of three the one that came first has to go (attack W9).

        Raises ``TicketUnknown`` where there is no ticket under that name.
        """
        watcher = Watcher(self._bus.inbox, token(self._entropy, 64))
        watched = await self._changes.on_flow(
            name, lambda held: flows.watch(held.value, watcher, self._policy, announce=False)
        )
        if watched is None or _seen(watched, 0) is None:
            raise TicketUnknown
        return watcher.id

    def subscribe(self, name: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call ``wake`` whenever the ticket may have changed; return the way to stop."""
        return self._bus.subscribe(name, wake)

    async def watched(self, name: str, watcher: str) -> Seen | None:
        """Return the ticket as a watcher sees it; None once it is no watcher any more, or the ticket is forgotten."""
        held = await self._changes.store.read(name)
        if held is None or not flows.is_watched_by(held.value, watcher):
            return None
        return _seen(held.value, held.now)

    async def leave(self, name: str, watcher: str) -> None:
        """Forget a watcher that has gone; one try is enough, since a stale one is the first to go."""
        held = await self._changes.store.read(name)
        if held is not None and flows.is_watched_by(held.value, watcher):
            await self._changes.try_write(held, flows.unwatch(held.value, watcher), quiet=True)

    async def take(self, seen: Seen, holder: Holder) -> None:
        """Take the ticket for somebody on a page, as a scan takes it for a phone.

        Raises ``TicketExpired``, ``TicketClosed``, ``TicketTaken``.
        """

        def taken(found: Ticket, now: Instant) -> Ticket:
            return machine.scan(found, holder, self._policy, now, code_required=False)

        await self._changes.on_ticket(seen.ticket.id, taken)

    async def taken(self, ticket_id: str, holder: Holder) -> tuple[Seen, Client, str]:
        """Return a ticket that ``holder`` has taken, whom it is for, and the confirm token of whoever took it last.

        Raises ``TicketUnknown`` for one that somebody else holds, or the same account by a phone or another session.
        """
        held = await self._changes.store.find(shaped(ticket_id))
        seen = None if held is None else _seen(held.value, held.now)
        if held is None or seen is None or seen.ticket.id != ticket_id:
            raise TicketUnknown
        state = machine.require_open(seen.ticket, seen.now)
        if state.holder != holder:
            raise TicketUnknown
        return seen, held.value.about.client, self._keys.confirm_token(seen.ticket, holder, state.scans)

    async def claim(self, ticket: Ticket, claim: str) -> bool:
        """Claim the approval for the request that names itself ``claim``; return whether it has won (attack Q4)."""
        try:
            await self._changes.on_ticket(ticket.id, lambda found, now: machine.redeem(found, claim, now), quiet=True)
        except (machine.InvalidTransition, TicketExpired, TicketUnknown):
            return False
        return True

    async def release(self, ticket: Ticket, claim: str) -> None:
        """Give the approval back: a store is down, which consumes nothing."""
        await self._settle(ticket, lambda found, _: machine.release(found, claim))

    async def refuse(self, ticket: Ticket, claim: str) -> None:
        """End a ticket whose account policy refuses at this moment (attack Q21)."""
        await self._settle(ticket, lambda found, _: machine.refuse(found, claim))

    async def withdrawn(self, name: str) -> bool:
        """End the flow of a claim that was exchanged; tell whether the confirmation was taken back meanwhile."""
        try:
            ended = await self._changes.on_flow(name, lambda held: flows.close(held.value))
        except StoreUnavailable:
            # Tokens exist and must be handed out; the ticket is redeemed, whether its flow has ended or not.
            log.warning("device_flow_left")
            return False
        return ended is not None and not isinstance(ended.current.state, Redeemed)

    async def _settle(self, ticket: Ticket, event: Callable[[Ticket, Instant], Ticket]) -> None:
        try:
            await self._changes.on_ticket(ticket.id, event)
        except (StoreUnavailable, machine.InvalidTransition, TicketUnknown, TicketExpired):
            # What is left of the ticket dies at its deadline; the caller's own error is the one to report.
            log.warning("ticket_left_to_expire")


def _seen(flow: Flow, now: Instant) -> Seen | None:
    ticket = flow.current
    return None if ticket.device is None else Seen(ticket, ticket.device, now)
