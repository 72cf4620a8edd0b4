"""Forgetting what is over.

Owns the order in which keys fall due. Stores call :meth:`Expiry.sweep` with a small budget on every write, so that
no request ever pays for a whole clean-up and abandoned logins cannot pile up (PRV-4).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from bjidp.clock import Instant


class Expiry:
    """A queue of keys by when they may be over; when they really are, their store says at that time."""

    __slots__ = ("_end_of", "_forget", "_queue")

    def __init__(self, end_of: Callable[[str], Instant | None], forget: Callable[[str], None]) -> None:
        """``end_of`` tells when a key is over, None when it has gone already; ``forget`` removes it."""
        self._end_of = end_of
        self._forget = forget
        self._queue: list[tuple[Instant, str]] = []

    def add(self, key: str, end: Instant) -> None:
        """Queue a new key, once: one that is put off later keeps its place and is queued anew when its turn comes."""
        heapq.heappush(self._queue, (end, key))

    def sweep(self, now: Instant, budget: int = 8) -> None:
        """Forget up to ``budget`` keys that are over."""
        queue = self._queue
        while budget and queue and queue[0][0] <= now:
            _, key = heapq.heappop(queue)
            end = self._end_of(key)
            if end is not None and end > now:
                heapq.heappush(queue, (end, key))
            elif end is not None:
                self._forget(key)
            budget -= 1
