"""Ending the sessions of an account, in browsers and on phones, when something about it has changed (REC-4, ACC-7).

Owns that none is forgotten. Called by recovery and by the settings. Phones' sessions are ``miniprogram``'s, which knows
accounts and not the other way round, so ending them is handed in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from bjidp.sessions.ports import SessionEnd
from bjidp.sessions.service import Sessions

EndPhones: TypeAlias = Callable[[str, SessionEnd], Awaitable[None]]
"""Ends every session that an account has on phones; raises ``StoreUnavailable``."""


class Endings:
    """Ends sessions of every kind."""

    def __init__(self, sessions: Sessions, end_phones: EndPhones) -> None:
        """End those in browsers by ``sessions``, those on phones by ``end_phones``."""
        self._sessions = sessions
        self._end_phones = end_phones

    async def end_others(self, account: str, keep: str | None, reason: SessionEnd) -> None:
        """End every session of the account but the browser session ``keep``; raise ``StoreUnavailable``.

        Ending twice is as good as once, so after a failure it is done again.
        """
        await self.end_browsers(account, keep, reason)
        await self._end_phones(account, reason)

    async def end_browsers(self, account: str, keep: str | None, reason: SessionEnd) -> None:
        """End every browser session of the account but ``keep``; raise ``StoreUnavailable``."""
        await self._sessions.end_others(account, keep, reason)
