"""Ending the sessions of an account, in browsers and on phones, when something about it has changed (REC-4, ACC-7).

Owns that none is forgotten. Called by recovery and by the settings. Phones' sessions are ``miniprogram``'s, which knows
accounts and not the other way round, so ending them is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import structlog

from bjidp.accounts.ports import Ended
from bjidp.errors import StoreUnavailable
from bjidp.sessions.ports import SessionEnd
from bjidp.sessions.service import Sessions

log = structlog.get_logger(__name__)


class EndPhones(Protocol):
    """Ends sessions on phones."""

    async def __call__(self, account: str, reason: SessionEnd, gone: Sequence[str] = ()) -> None:
        """End every session that an account has, or had by links that are ``gone``; raise ``StoreUnavailable``."""
        ...


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
        # Phones first: what one confirms until then is over by the time that browsers are ended.
        await self._end_phones(account, reason)
        await self.end_browsers(account, keep, reason)

    async def end_after(
        self, account: str, keep: str | None, reason: SessionEnd, ref: str | None, *, phones: bool = True
    ) -> None:
        """End them once more after what they end for is written, which is taken back for no failure.

        What is left of a failure is a login that was under way at that very moment. Whose it is, the log says by
        ``ref``, the account's reference.
        """
        try:
            await (self.end_others if phones else self.end_browsers)(account, keep, reason)
        except StoreUnavailable:
            log.error("sessions_not_ended", account_ref=ref, reason=reason)  # noqa: TRY400 - a store that is down

    async def end_ended(self, ended: Ended) -> None:
        """End what an account that has ended has left: its status refuses them, but pages and lists are told.

        That they cannot be ended takes nothing back.
        """
        try:
            await self._end_phones(ended.account, SessionEnd.CANCELLED, ended.links)
            await self.end_browsers(ended.account, None, SessionEnd.CANCELLED)
        except StoreUnavailable:
            log.error("sessions_not_ended", account_ref=ended.ref, reason=SessionEnd.CANCELLED)  # noqa: TRY400

    async def end_browsers(self, account: str, keep: str | None, reason: SessionEnd) -> None:
        """End every browser session of the account but ``keep``; raise ``StoreUnavailable``."""
        await self._sessions.end_others(account, keep, reason)
