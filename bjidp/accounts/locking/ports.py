"""What locks need from outside: their store. Owns the port and the failures, of which only staff are told.

Implemented by ``storage.sql``; called by the command of staff and by :mod:`bjidp.accounts.locking.following`. One call
is one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bjidp.accounts.identifiers import Identifier
from bjidp.accounts.locking.lock import Change, Found
from bjidp.clock import Instant
from bjidp.standing import Status


class AccountUnknown(Exception):
    """No account has this name or reference."""


class StandsAlready(Exception):
    """The account is not in the state that this begins from; nothing was changed."""

    def __init__(self, status: Status) -> None:
        """Say in which it is."""
        super().__init__(status)
        self.status = status


class Unsettled(Exception):
    """What was logged in when the account was locked is not ended everywhere yet: it would come back to life."""


class LockStore(Protocol):
    """Locks. Raises ``StoreUnavailable`` when it does not answer."""

    async def find(self, names: Sequence[Identifier], staff: str, now: Instant) -> Found:
        """Return the account that has one of ``names``, audited as a look; raise :class:`AccountUnknown`."""
        ...

    async def lock(self, ref: str, staff: str, now: Instant) -> None:
        """Lock the account of this reference, audited: every way in refuses it, and whoever is logged in is out.

        What relying parties were given ends in the same transaction, which queues what they are told of it; sessions
        open nothing from then on, and what is left of them is a :class:`Change` for the servers to follow up. Raises
        :class:`AccountUnknown` and :class:`StandsAlready`.
        """
        ...

    async def unlock(self, ref: str, staff: str, now: Instant) -> None:
        """Let the account be used again, audited; nobody is logged in to it by that.

        Raises :class:`AccountUnknown`, :class:`StandsAlready` and :class:`Unsettled`.
        """
        ...

    async def due(self, now: Instant, limit: int) -> list[Change]:
        """Take on at most ``limit`` changes that are to be followed up; nobody else is given them for some minutes."""
        ...

    async def settled(self, change: Change, now: Instant) -> None:
        """Note that nothing is left of what was logged in."""
        ...

    async def followed(self, change: Change) -> None:
        """Note that nobody is left to be told."""
        ...
