"""Ending the sessions of an account, in browsers and on phones, when something about it has changed (REC-4, ACC-7).

Owns that none is forgotten. Called by whatever puts people out of an account: recovery, the settings, 不是我, and the
use cases above this room, by which a number or an identity goes. Phones' sessions are ``miniprogram``'s, which knows
accounts and not the other way round, so ending them is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import structlog

from bjidp.accounts.member_ports import Ended
from bjidp.accounts.ports import NOTHING, Gone
from bjidp.errors import StoreUnavailable
from bjidp.sessions.ports import SessionEnd
from bjidp.sessions.service import Sessions

log = structlog.get_logger(__name__)


class EndPhones(Protocol):
    """Ends sessions on phones."""

    async def __call__(self, account: str, reason: SessionEnd, gone: Gone = NOTHING) -> None:
        """End every session that an account has, and what is left of those it had; raise ``StoreUnavailable``."""
        ...


class Aftercare(Protocol):
    """Does what else follows, for rooms that know accounts and are not known here. Nothing that fails is told."""

    async def tell_agents(self, accounts: Sequence[str]) -> None:
        """Tell by SMS those accounts that have a number that a mandate of theirs has ended."""
        ...

    async def forget(self, account: str) -> None:
        """Delete what is kept for an account that has ended, and not beside it."""
        ...


class Endings:
    """Ends sessions of every kind."""

    def __init__(self, sessions: Sessions, end_phones: EndPhones, aftercare: Aftercare) -> None:
        """End those in browsers by ``sessions``, those on phones by ``end_phones``; then ``aftercare`` follows."""
        self._sessions = sessions
        self._end_phones = end_phones
        self._aftercare = aftercare

    async def end_others(self, account: str, keep: str | None, reason: SessionEnd, gone: Gone = NOTHING) -> None:
        """End every session of the account but the browser session ``keep``; raise ``StoreUnavailable``.

        Ending twice is as good as once, so after a failure it is done again.
        """
        # Phones first: what one confirms until then is over by the time that browsers are ended.
        await self._end_phones(account, reason, gone)
        await self._end_browsers(account, keep, reason)

    async def end_after(
        self, account: str, keep: str | None, reason: SessionEnd, ref: str | None, gone: Gone = NOTHING
    ) -> None:
        """Do as :meth:`end_others` does after what they end for is written, which is taken back for no failure.

        Where they were ended before it too, what a failure leaves is a login that was under way at that very moment.
        Whose it is, the log says by ``ref``, the account's reference. ``gone`` is what went with the write itself; of
        it agents are told.
        """
        try:
            await self.end_others(account, keep, reason, gone)
        except StoreUnavailable:
            _not_ended(ref, reason)
        await self.tell_agents(gone)

    async def tell_agents(self, gone: Gone) -> None:
        """Tell those who acted by the word of an account, and do so no more."""
        if gone.agents:
            await self._aftercare.tell_agents(gone.agents)

    async def end_fenced(self, account: str, keep: str | None, reason: SessionEnd, ref: str) -> None:
        """End what is left of browser sessions that a new number has ended in its transaction, so that pages are told.

        What a failure leaves opens nothing (:meth:`bjidp.accounts.member_ports.MemberStore.set_phone`). Phones stay.
        """
        try:
            await self._end_browsers(account, keep, reason)
        except StoreUnavailable:
            _not_ended(ref, reason)

    async def end_ended(self, ended: Ended) -> None:
        """End what an account that has ended has left: its status refuses them, but pages and lists are told.

        That they cannot be ended takes nothing back.
        """
        try:
            await self._end_phones(ended.account, SessionEnd.CANCELLED, ended.gone)
            await self._end_browsers(ended.account, None, SessionEnd.CANCELLED)
        except StoreUnavailable:
            _not_ended(ended.ref, SessionEnd.CANCELLED)
        await self._aftercare.forget(ended.account)
        await self.tell_agents(ended.gone)

    async def _end_browsers(self, account: str, keep: str | None, reason: SessionEnd) -> None:
        await self._sessions.end_others(account, keep, reason)


def _not_ended(ref: str | None, reason: SessionEnd) -> None:
    log.error("sessions_not_ended", account_ref=ref, reason=reason)
