"""Keeping passwords so that a copy of the database gives none away: argon2id (RFC 9106).

Owns the cost of a hash, the threads that pay it, and how many may wait for them. Called by whatever sets or asks for a
password. One hash takes 19 ms and 19 MiB, so as many logins as anybody likes to begin would take the whole machine from
everybody else (attack O12): beyond a short queue they are turned away at once, with nothing begun.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct

from bjidp.entropy import Entropy, token
from bjidp.errors import TooBusy

T = TypeVar("T")

RETRY_AFTER: Final = 2

NICENESS: Final = 10
"""How far the threads stand back. Where cores are fewer than what wants them, whoever waits for a page or a code on a
screen goes before whoever hashes; without it a code's way to its page took twice as long under 200 logins at once."""

_SALT: Final = 16
"""Bytes (RFC 9106, section 3.1)."""


class Cost(Struct, frozen=True, kw_only=True):
    """What one hash costs: OWASP's smallest recommendation for argon2id by default. ``memory`` is in KiB."""

    time: int = 2
    memory: int = 19 * 1024
    lanes: int = 1


class Verdict(Struct, frozen=True):
    """Whether a password was right, and whether its hash is to be made anew because the cost has changed since."""

    right: bool
    stale: bool = False


class PasswordHashes:
    """Hashes and verifies on ``threads`` threads of its own; ``waiting`` more may wait for their turn."""

    def __init__(self, entropy: Entropy, cost: Cost, *, threads: int, waiting: int) -> None:
        """Make the hash that stands for accounts without one, which takes as long as any other."""
        self._entropy = entropy
        self._hasher = PasswordHasher(cost.time, cost.memory, cost.lanes)
        self._most = threads + waiting
        self._under_way = 0
        self._pool = ThreadPoolExecutor(threads, "argon2", _give_way)
        self._nobodys = self._hashed(token(entropy, 256))

    async def hash(self, password: str) -> str:
        """Return what is to be kept of ``password``; raise :class:`TooBusy`."""
        return await self._run(lambda: self._hashed(password))

    async def verify(self, kept: str | None, password: str) -> Verdict:
        """Tell whether ``password`` is the one ``kept`` was made of; raise :class:`TooBusy`.

        None for a name that nobody has, or an account without a password: it costs the same, and is never right
        (attack R1).
        """
        return await self._run(lambda: self._verified(kept, password))

    def require_room(self) -> None:
        """Raise :class:`TooBusy` if a hash asked for now would be turned away, for who has something to lose by it."""
        if self._under_way >= self._most:
            raise TooBusy(RETRY_AFTER)

    async def close(self) -> None:
        """End the threads; what was begun is finished, and the event loop serves on meanwhile."""
        await asyncio.to_thread(self._pool.shutdown)

    async def _run(self, work: Callable[[], T]) -> T:
        self.require_room()
        self._under_way += 1
        running = asyncio.get_running_loop().run_in_executor(self._pool, work)
        # By its end, not by the caller's: whoever hangs up leaves a thread at work.
        running.add_done_callback(self._ended)
        return await asyncio.shield(running)

    def _ended(self, running: asyncio.Future[T]) -> None:
        self._under_way -= 1
        if not running.cancelled():
            running.exception()

    def _hashed(self, password: str) -> str:
        return self._hasher.hash(password.encode("utf-8", "surrogatepass"), salt=self._entropy.octets(_SALT))

    def _verified(self, kept: str | None, password: str) -> Verdict:
        try:
            self._hasher.verify(self._nobodys if kept is None else kept, password.encode("utf-8", "surrogatepass"))
        except (VerificationError, InvalidHashError):
            return Verdict(right=False)
        if kept is None:
            return Verdict(right=False)
        return Verdict(right=True, stale=self._hasher.check_needs_rehash(kept))


def _give_way() -> None:
    # Linux alone counts niceness by threads; elsewhere it would be the whole process that stands back.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
