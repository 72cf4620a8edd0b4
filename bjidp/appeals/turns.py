"""Turns at what looks into files: who is next, and how much time of it an account may have (attack U11).

Owns that nobody's files keep other people's waiting for longer than one of them takes. Of those that wait, next is
whose account has used the least of it within the last hour, then whoever came first; where too many wait, whoever has
used the most gives way to whoever comes and has used less. Called by :mod:`bjidp.appeals.isolation`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from typing import Final

from msgspec import Struct

from bjidp.clock import SYSTEM_STOPWATCH, Stopwatch
from bjidp.errors import RateLimited, TooBusy

AT_ONCE: Final = 1
"""Files at a time: the other core is the event loop's."""

WAITING: Final = 8
"""Files that may wait for their turn."""

BUDGET: Final = 30.0
"""Seconds that an account may have of it within :data:`SPAN`; a file that people send takes half of one."""

SPAN: Final = 3600.0

RETRY_AFTER: Final = 10
"""Seconds after which to try again where too many wait."""


class _Waiting(Struct, eq=False):
    account: str
    turn: asyncio.Future[None]


class Turns:
    """Lets a few go on at a time."""

    def __init__(
        self,
        *,
        at_once: int = AT_ONCE,
        waiting: int = WAITING,
        budget: float = BUDGET,
        stopwatch: Stopwatch = SYSTEM_STOPWATCH,
    ) -> None:
        """Let ``at_once`` go on and ``waiting`` wait."""
        self._free = at_once
        self._most = waiting
        self._budget = budget
        self._stopwatch = stopwatch
        self._waiting: list[_Waiting] = []
        self._used: dict[str, deque[tuple[float, float]]] = {}

    def require_time(self, account: str) -> None:
        """Raise ``RateLimited`` where an account has used what it may have."""
        now = self._stopwatch()
        left = self._used_by(account) - self._budget
        if left < 0:
            return
        # Until so much of it is an hour old that something is free again.
        for ended_at, seconds in self._counted(account):
            left -= seconds
            if left < 0:
                raise RateLimited(max(1, ceil(ended_at + SPAN - now)))
        raise RateLimited(ceil(SPAN))

    @asynccontextmanager
    async def turn(self, account: str) -> AsyncIterator[None]:
        """Wait for a turn, and charge the account for how long it has it; raise ``RateLimited`` and ``TooBusy``."""
        self.require_time(account)
        await self._come(account)
        began = self._stopwatch()
        try:
            yield
        finally:
            self._charge(account, began)
            self._let_next()

    async def _come(self, account: str) -> None:
        if self._free:
            self._free -= 1
            return
        if len(self._waiting) >= self._most:
            self._make_room(account)
        mine = _Waiting(account, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        try:
            await mine.turn
        except asyncio.CancelledError:
            if mine in self._waiting:
                self._waiting.remove(mine)
            elif not mine.turn.cancelled() and mine.turn.exception() is None:
                # It was given a turn in the moment in which it went.
                self._let_next()
            raise

    def _make_room(self, account: str) -> None:
        if not self._waiting:
            raise TooBusy(RETRY_AFTER)
        # Of several, the one that came last.
        greedy = max(reversed(self._waiting), key=lambda one: self._used_by(one.account))
        if self._used_by(greedy.account) <= self._used_by(account):
            raise TooBusy(RETRY_AFTER)
        self._waiting.remove(greedy)
        greedy.turn.set_exception(TooBusy(RETRY_AFTER))

    def _let_next(self) -> None:
        while self._waiting:
            following = min(self._waiting, key=lambda one: self._used_by(one.account))
            self._waiting.remove(following)
            if not following.turn.done():
                following.turn.set_result(None)
                return
        self._free += 1

    def _charge(self, account: str, began: float) -> None:
        now = self._stopwatch()
        for one in [one for one in self._used if not self._counted(one)]:
            del self._used[one]
        self._used.setdefault(account, deque()).append((now, now - began))

    def _used_by(self, account: str) -> float:
        return sum(seconds for _, seconds in self._counted(account))

    def _counted(self, account: str) -> deque[tuple[float, float]]:
        """Return the spells of an account that count at this moment, and forget those before them."""
        spells, before = self._used.get(account, deque()), self._stopwatch() - SPAN
        while spells and spells[0][0] <= before:
            spells.popleft()
        return spells
