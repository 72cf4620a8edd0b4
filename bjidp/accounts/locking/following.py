"""What follows a lock: sessions that open nothing any more are deleted, and the owner is told (OPS-7).

Owns that nothing of it is lost. Staff lock at a command line, which knows neither Redis nor a vendor; the store keeps
what has to follow, and every server asks for it. Whoever dies between two steps leaves it to be taken on again some
minutes later: a message may come twice, and none is missed.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from bjidp.accounts.endings import Endings
from bjidp.accounts.locking.lock import TELL_FOR, Change
from bjidp.accounts.locking.ports import LockStore
from bjidp.accounts.telling import Teller, Told
from bjidp.clock import Clock
from bjidp.errors import StoreUnavailable
from bjidp.sessions.ports import SessionEnd
from bjidp.standing import Status
from bjidp.unexpected import outline
from bjidp.verification.number import MobileNumber

PAUSE: Final = 5.0
"""Seconds between two looks."""

AT_ONCE: Final = 20
"""Changes taken on at a time: as many as are told within the minutes that one has for it."""

log = structlog.get_logger(__name__)


class Following:
    """Follows locks up."""

    def __init__(self, *, locks: LockStore, endings: Endings, teller: Teller, clock: Clock) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._locks = locks
        self._endings = endings
        self._teller = teller
        self._clock = clock

    async def run(self) -> None:
        """Look now and after every pause, until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(PAUSE)

    async def once(self) -> None:
        """Follow up what is due. What fails keeps nothing else from it, and is tried again."""
        try:
            found = await self._locks.due(self._clock.now(), AT_ONCE)
        except StoreUnavailable:
            log.warning("locks_put_off")
            return
        for change in found:
            try:
                await self._follow(change)
            except StoreUnavailable:
                log.warning("lock_put_off", account_ref=change.ref)
            except Exception as error:  # noqa: BLE001 - one fault must not end all following for the process's life
                log.error("lock_failed", account_ref=change.ref, **outline(error))  # noqa: TRY400 - without its text

    async def _follow(self, change: Change) -> None:
        """End what is left, which is tried for as long as it takes; then tell."""
        is_lock = change.status is Status.LOCKED
        if is_lock and not change.settled:
            await self._endings.end_others(change.account, None, SessionEnd.LOCKED)
            await self._locks.settled(change, self._clock.now())
        given_up = self._clock.now() - change.at >= TELL_FOR
        if given_up:
            log.error("lock_not_told", account_ref=change.ref)
        # Where there is nobody to tell, or nobody to send it, the notice is there.
        nobody = change.phone is None or not self._teller.sends
        what = Told.ACCOUNT_LOCKED if is_lock else Told.ACCOUNT_UNLOCKED
        if (
            given_up
            or nobody
            or (change.phone is not None and await self._teller.reached(MobileNumber(change.phone), what))
        ):
            await self._locks.followed(change)
