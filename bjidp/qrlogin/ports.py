"""What the QR channel needs from outside.

Owns the ticket store's contract and what is asked of accounts. ``storage.memory``,
``storage.redis`` and ``storage.sql`` implement them; ``tests/contracts`` holds every adapter to the same suite.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bjidp.clock import Instant, Millis
from bjidp.qrlogin.flow import Flow
from bjidp.records import Held
from bjidp.standing import PlatformLink, Standing


class TicketStore(Protocol):
    """Live flows with their tickets, found by flow or by ticket.

    The store's own clock judges every deadline, the same for all processes. Every method raises
    ``StoreUnavailable`` when the store does not answer, and then nothing is known to have changed.
    """

    async def now(self) -> Instant:
        """Return the store's clock."""
        ...

    async def add(self, flow: Flow, lifetime: Millis) -> None:
        """Keep a new flow and make its tickets findable; raise ``DuplicateRecord`` when the id is live."""
        ...

    async def read(self, flow_id: str) -> Held[Flow] | None:
        """Return the live flow, or None."""
        ...

    async def find(self, ticket_id: str) -> Held[Flow] | None:
        """Return the live flow that shows, or showed, this ticket; or None."""
        ...

    async def replace(self, flow: Flow, expected: int, lifetime: Millis, *, before: Instant | None = None) -> int:
        """Set the flow if it still has version ``expected``; return the new version.

        ``before`` is the deadline the change was decided under: if the store's clock has reached it, the change
        comes too late. Raises ``StaleRecord`` in both cases, having changed nothing; the caller reads again and
        decides again.
        """
        ...


class Accounts(Protocol):
    """What the QR channel asks of accounts."""

    async def standing(self, account: str) -> Standing | None:
        """Return the account's standing, or None when there is no such account."""
        ...

    async def link(self, link: str) -> PlatformLink | None:
        """Return a platform link by its id, or None when it was replaced or removed."""
        ...

    async def networks(self, account: str, network: Sequence[bytes]) -> tuple[bool, bool]:
        """Return whether the account ever logged in by QR, and whether it did so from ``network``.

        A network is given by its digests, one for each active key version: a rotation makes nobody a stranger.
        """
        ...
