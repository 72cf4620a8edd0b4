"""How much one network address may hold open at a time.

Owns the count of sockets and parked polls by address (attack W9), kept in this process alone: each process bounds what
it holds itself, so with several an address may hold the limit in each. What would have to be counted across processes
is made, not held, and is counted by the throttle.
"""

from __future__ import annotations

from collections import Counter
from types import TracebackType

from bjidp.throttle.source import Source


class AddressSlots:
    """Slots of every address. Taken before anything is awaited, so that parallel callers cannot slip past together."""

    def __init__(self, limit: int) -> None:
        """Let an address hold ``limit`` slots, more where many people share it."""
        self._limit = limit
        self._held: Counter[str] = Counter()

    def held(self, source: Source) -> _Slot:
        """Hold a slot for as long as the block runs; the block is told whether there was one."""
        return _Slot(self._held, source.key, source.allowance(self._limit))


class _Slot:
    """One slot; as a class, since a context manager made of a generator costs 2 µs more."""

    __slots__ = ("_held", "_key", "_limit")

    def __init__(self, held: Counter[str], key: str | None, limit: int) -> None:
        self._held = held
        self._key = key
        self._limit = limit

    def __enter__(self) -> bool:
        if self._key is None:
            return True
        if self._held[self._key] >= self._limit:
            self._key = None
            return False
        self._held[self._key] += 1
        return True

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self._key is None:
            return
        self._held[self._key] -= 1
        if not self._held[self._key]:
            del self._held[self._key]
