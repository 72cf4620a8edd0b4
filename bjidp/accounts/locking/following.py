"""What follows a lock: sessions that open nothing any more are deleted, and the owner is told (OPS-7).

Owns that nothing of it is lost. Staff lock at a command line, which knows neither Redis nor a vendor; the store keeps
what has to follow, and every server asks for it. Whoever dies between two steps leaves it to be taken on again some
minutes later: a message may come twice, and none is missed.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bjidp.accounts.endings import Endings
from bjidp.accounts.follow_ups import FollowUps
from bjidp.accounts.locking.lock import TELL_FOR, Change
from bjidp.accounts.locking.ports import LockStore
from bjidp.accounts.telling import Teller, Told
from bjidp.clock import Clock
from bjidp.sessions.ports import SessionEnd
from bjidp.standing import Status
from bjidp.verification.number import MobileNumber

log = structlog.get_logger(__name__)


class Following(FollowUps[Change]):
    """Follows locks up."""

    kind = "lock"

    def __init__(self, *, locks: LockStore, endings: Endings, teller: Teller, clock: Clock) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._locks = locks
        self._endings = endings
        self._teller = teller
        self._clock = clock

    async def _due(self, limit: int) -> Sequence[Change]:
        return await self._locks.due(self._clock.now(), limit)

    def _reference(self, one: Change) -> str:
        return one.ref

    async def _follow(self, one: Change) -> None:
        """End what is left, which is tried for as long as it takes; then tell."""
        is_lock = one.status is Status.LOCKED
        if is_lock and not one.settled:
            await self._endings.end_others(one.account, None, SessionEnd.LOCKED)
            await self._locks.settled(one, self._clock.now())
        given_up = self._clock.now() - one.at >= TELL_FOR
        if given_up:
            log.error("lock_not_told", account_ref=one.ref)
        # Where there is nobody to tell, or nobody to send it, the notice is there.
        nobody = one.phone is None or not self._teller.sends
        what = Told.ACCOUNT_LOCKED if is_lock else Told.ACCOUNT_UNLOCKED
        if given_up or nobody or (one.phone is not None and await self._teller.reached(MobileNumber(one.phone), what)):
            await self._locks.followed(one)
