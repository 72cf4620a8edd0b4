"""Short-lived records in this process's memory."""

from __future__ import annotations

from itertools import count
from typing import Generic, TypeVar

from bjidp.clock import Clock, Millis
from bjidp.records import DuplicateRecord, Held, StaleRecord
from bjidp.storage.memory.expiry import Expiry

T = TypeVar("T")


class MemoryRecords(Generic[T]):
    """:class:`bjidp.records.Records` for one process."""

    def __init__(self, clock: Clock) -> None:
        """Judge expiry by ``clock``."""
        self._clock = clock
        self._rows: dict[str, tuple[T, int]] = {}
        # Versions never come again: what was decided on a former record of the same key must not fit the next one.
        self._versions = count(1)
        self._expiry = Expiry()

    def __len__(self) -> int:
        """Return how many records are kept, over or not: what memory is spent on."""
        return len(self._rows)

    async def add(self, key: str, value: T, lifetime: Millis) -> None:
        """See :meth:`bjidp.records.Records.add`."""
        now = self._clock.now()
        self._expiry.sweep(now, self._forget)
        if not self._expiry.is_over(key, now):
            raise DuplicateRecord
        self._rows[key] = (value, next(self._versions))
        self._expiry.set(key, now + lifetime)

    async def get(self, key: str) -> Held[T] | None:
        """See :meth:`bjidp.records.Records.get`."""
        now = self._clock.now()
        if self._expiry.is_over(key, now):
            return None
        value, version = self._rows[key]
        return Held(value, version, now)

    async def replace(self, key: str, value: T, expected: int, lifetime: Millis | None = None) -> int:
        """See :meth:`bjidp.records.Records.replace`."""
        now = self._clock.now()
        if self._expiry.is_over(key, now) or self._rows[key][1] != expected:
            raise StaleRecord
        version = next(self._versions)
        self._rows[key] = (value, version)
        if lifetime is not None:
            self._expiry.set(key, now + lifetime)
        return version

    async def take(self, key: str) -> T | None:
        """See :meth:`bjidp.records.Records.take`."""
        if self._expiry.is_over(key, self._clock.now()):
            return None
        value, _ = self._rows.pop(key)
        self._expiry.drop(key)
        return value

    def _forget(self, key: str) -> None:
        self._rows.pop(key, None)
