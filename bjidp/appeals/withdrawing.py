"""Taking an appeal back (RNV-8).

Owns that 验证身份 comes before it, as before the claim that an appeal is filed for: whoever took a session over could
otherwise keep staff from giving an identity to the person whose it is (attack R4). Called by ``web``.
"""

from __future__ import annotations

from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.verifying import Visit
from bjidp.appeals.appeal import Appeal
from bjidp.appeals.errors import AppealOver
from bjidp.appeals.ports import AppealStore
from bjidp.clock import Clock
from bjidp.verification.proofs import Operation


class Withdrawing:
    """Takes appeals back. A store that is down raises ``StoreUnavailable``."""

    def __init__(self, *, changes: Changes, appeals: AppealStore, clock: Clock) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._changes = changes
        self._appeals = appeals
        self._clock = clock

    async def open(self, visit: Visit) -> Appeal | None:
        """Return the appeal that can be taken back, None without one."""
        appeal = await self._appeals.newest(visit.account)
        return None if appeal is None or not appeal.is_open else appeal

    async def withdraw(self, visit: Visit, flow: str | None) -> str:
        """Take back the appeal that is open; return the change's id.

        Raises :class:`AppealOver` where none is by now, :class:`bjidp.accounts.settings.changes.NotDue` and
        ``AccountRefused``.
        """
        draft = await self._changes.due(visit, Operation.WITHDRAW_APPEAL, flow)
        appeal = await self.open(visit)
        if appeal is None:
            raise AppealOver
        await self._changes.save(visit, draft, lambda: self._write(visit.account, appeal.id))
        return draft.id

    async def _write(self, account: str, appeal: str) -> None:
        if not await self._appeals.withdraw(account, appeal, self._clock.now()):
            raise AppealOver
