"""Forgetting what is over.

Owns the order in which keys fall due. Stores call :meth:`Expiry.sweep` with a small budget on every write, so that
no request ever pays for a whole clean-up and abandoned logins cannot pile up (PRV-4).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from bjidp.clock import Instant


class Expiry:
    """Deadlines by key; a key may be given a later deadline at any time."""

    __slots__ = ("_ends", "_heap")

    def __init__(self) -> None:
        """Start empty."""
        self._ends: dict[str, Instant] = {}
        self._heap: list[tuple[Instant, str]] = []

    def set(self, key: str, end: Instant) -> None:
        """Let ``key`` be over at ``end``. A key that is put off keeps one place in the queue, not one a time."""
        queued = key in self._ends
        self._ends[key] = end
        if not queued:
            heapq.heappush(self._heap, (end, key))

    def is_over(self, key: str, now: Instant) -> bool:
        """Tell whether ``key`` has no time left, or was never set."""
        end = self._ends.get(key)
        return end is None or now >= end

    def drop(self, key: str) -> None:
        """Let ``key`` be over at once; its place in the queue is cleared when its turn comes."""
        if key in self._ends:
            self._ends[key] = 0

    def sweep(self, now: Instant, forget: Callable[[str], None], budget: int = 8) -> None:
        """Forget up to ``budget`` keys that are over."""
        while budget and self._heap and self._heap[0][0] <= now:
            _, key = heapq.heappop(self._heap)
            end = self._ends[key]
            if end > now:
                heapq.heappush(self._heap, (end, key))
            else:
                del self._ends[key]
                forget(key)
            budget -= 1
