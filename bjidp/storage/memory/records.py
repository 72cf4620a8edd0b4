"""Short-lived records in this process's memory."""

from __future__ import annotations

from itertools import count
from typing import Generic, TypeVar

from msgspec import Struct

from bjidp.clock import Clock, Instant, Millis
from bjidp.records import DuplicateRecord, Held, StaleRecord
from bjidp.storage.memory.expiry import Expiry

T = TypeVar("T")


class _Kept(Struct, Generic[T], frozen=True):
    value: T
    version: int
    end: Instant


class MemoryRecords(Generic[T]):
    """:class:`bjidp.records.Records` for one process."""

    def __init__(self, clock: Clock) -> None:
        """Judge expiry by ``clock``."""
        self._clock = clock
        self._rows: dict[str, _Kept[T]] = {}
        # Versions never come again: what was decided on a former record of the same key must not fit the next one.
        self._versions = count(1)
        self._expiry = Expiry(self._end_of, self._forget)

    def __len__(self) -> int:
        """Return how many records are kept, over or not: what memory is spent on."""
        return len(self._rows)

    async def add(self, key: str, value: T, lifetime: Millis) -> None:
        """See :meth:`bjidp.records.Records.add`."""
        now = self._clock.now()
        self._expiry.sweep(now)
        if self._live(key, now) is not None:
            raise DuplicateRecord
        self._rows[key] = _Kept(value, next(self._versions), now + lifetime)
        self._expiry.add(key, now + lifetime)

    async def get(self, key: str) -> Held[T] | None:
        """See :meth:`bjidp.records.Records.get`."""
        now = self._clock.now()
        kept = self._live(key, now)
        return None if kept is None else Held(kept.value, kept.version, now)

    async def replace(self, key: str, value: T, expected: int, lifetime: Millis | None = None) -> int:
        """See :meth:`bjidp.records.Records.replace`."""
        now = self._clock.now()
        kept = self._live(key, now)
        if kept is None or kept.version != expected:
            raise StaleRecord
        version = next(self._versions)
        self._rows[key] = _Kept(value, version, kept.end if lifetime is None else now + lifetime)
        return version

    async def take(self, key: str) -> T | None:
        """See :meth:`bjidp.records.Records.take`."""
        kept = self._live(key, self._clock.now())
        if kept is None:
            return None
        del self._rows[key]
        return kept.value

    def _live(self, key: str, now: Instant) -> _Kept[T] | None:
        kept = self._rows.get(key)
        return kept if kept is not None and now < kept.end else None

    def _end_of(self, key: str) -> Instant | None:
        kept = self._rows.get(key)
        return None if kept is None else kept.end

    def _forget(self, key: str) -> None:
        del self._rows[key]
