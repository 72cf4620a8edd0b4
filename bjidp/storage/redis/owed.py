"""What has to follow in another store after something was removed here.

Owns the notes: one is made before and forgotten after, so that what a process that died in between has left undone is
found by the next one that looks. Doing it twice must be as good as once. Called by ``sessions``.
"""

from __future__ import annotations

import asyncio
from typing import Final

from bjidp.clock import DAY, Instant, Millis
from bjidp.storage.redis.client import Link

KEPT: Final[Millis] = 2 * DAY
"""How long notes are kept after the newest of them: longer than what they are about can last."""


class Owed:
    """Notes under one key."""

    def __init__(self, link: Link, key: str) -> None:
        """Keep them under ``key``."""
        self._link = link
        self._key = key

    async def note(self, entry: str, now: Instant) -> None:
        """Note that ``entry``, made of references, is owed from now on."""
        await asyncio.gather(
            self._link.call("ZADD", self._key, now, entry), self._link.call("PEXPIRE", self._key, KEPT)
        )

    async def settle(self, entry: str) -> None:
        """Forget what was done."""
        await self._link.call("ZREM", self._key, entry)

    async def since(self, before: Instant, limit: int) -> list[str]:
        """Return at most ``limit`` entries that have been owed since ``before`` or longer."""
        reply = await self._link.call("ZRANGEBYSCORE", self._key, "-inf", before, "LIMIT", 0, limit)
        return [entry.decode() for entry in reply if isinstance(entry, bytes)] if isinstance(reply, list) else []
