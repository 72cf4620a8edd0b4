"""How much one network address may hold open at a time.

Owns the count of sockets and parked polls by address (attack W9), kept in this process alone: each process bounds what
it holds itself, so with several an address may hold the limit in each. What would have to be counted across processes
is made, not held, and is counted by the throttle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from bjidp.throttle.source import Source


class AddressSlots:
    """Slots of every address. Taken before anything is awaited, so that parallel callers cannot slip past together."""

    def __init__(self, limit: int) -> None:
        """Let an address hold ``limit`` slots, more where many people share it."""
        self._limit = limit
        self._held: Counter[str] = Counter()

    @contextmanager
    def held(self, source: Source) -> Iterator[bool]:
        """Hold a slot for as long as the block runs; yield whether there was one."""
        key = source.key
        if key is None:
            yield True
            return
        if self._held[key] >= source.allowance(self._limit):
            yield False
            return
        self._held[key] += 1
        try:
            yield True
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
