"""What is forgotten when its time is over.

Every vendor's codes, tokens and verifications live in an :class:`Expiring`: adding one drops those whose time has come,
so memory is bounded by what was made within one lifetime, and no background task is needed.
"""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

from bjidp.sandbox.clock import Instant

V = TypeVar("V")


class Expiring(Generic[V]):
    """Values by text key, each with the instant from which it is gone."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: dict[str, tuple[V, Instant]] = {}
        self._deadlines: list[tuple[Instant, str]] = []

    def put(self, key: str, value: V, *, until: Instant, now: Instant) -> None:
        """Keep ``value`` under ``key`` until ``until``, in place of what was there."""
        self._drop(now)
        self._entries[key] = (value, until)
        heapq.heappush(self._deadlines, (until, key))

    def get(self, key: str, now: Instant) -> V | None:
        """Return the value, or None if it was never there or its time is over."""
        entry = self._entries.get(key)
        return entry[0] if entry is not None and now < entry[1] else None

    def take(self, key: str, now: Instant) -> V | None:
        """Return the value as :meth:`get` does, and forget it."""
        found = self.get(key, now)
        self._entries.pop(key, None)
        return found

    def __len__(self) -> int:
        return len(self._entries)

    def _drop(self, now: Instant) -> None:
        while self._deadlines and self._deadlines[0][0] <= now:
            _, key = heapq.heappop(self._deadlines)
            entry = self._entries.get(key)
            # A key may have been put again with a later deadline; then this one is only a leftover.
            if entry is not None and entry[1] <= now:
                del self._entries[key]
