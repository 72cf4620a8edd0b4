"""账号注销 (ACC-7).

Owns what comes after the write. With it the account is refused by every way in and its personal values are gone; what
sessions are kept elsewhere open nothing any more. They are ended nevertheless, so that their pages are told and no list
has them; that they cannot be takes nothing back.
"""

from __future__ import annotations

from bjidp.accounts.endings import Endings
from bjidp.accounts.member_ports import MemberStore
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.verifying import Visit
from bjidp.clock import Clock
from bjidp.verification.proofs import Operation


class Cancelling:
    """Ends accounts. A store that is down raises ``StoreUnavailable``."""

    def __init__(self, *, changes: Changes, members: MemberStore, endings: Endings, clock: Clock) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._changes = changes
        self._members = members
        self._endings = endings
        self._clock = clock

    async def cancel(self, visit: Visit, flow: str | None) -> None:
        """Cancel the account; raise :class:`bjidp.accounts.settings.changes.NotDue` and ``AccountRefused``."""
        draft = await self._changes.due(visit, Operation.CANCEL, flow)
        await self._changes.save(visit, draft, lambda: self._write(visit))

    async def _write(self, visit: Visit) -> None:
        await self._endings.end_ended(await self._members.cancel(visit.account, self._clock.now()))
