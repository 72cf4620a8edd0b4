"""Short-lived records: the port behind browser records, registrations, verifications and used login codes.

Owns the contract; ``storage.memory`` and ``storage.redis`` implement it and ``tests/contracts/test_records.py``
holds both to it. A record carries a version; every change names the version it was decided on, so of two racing
writers one loses and must read and decide again. Expiry is judged by the store's own clock, the same for every
process.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from bjidp.clock import Instant, Millis

T = TypeVar("T")


class Held(Struct, Generic[T], frozen=True, gc=False):
    """One record as read: its value, the version to name when replacing it, and the store's clock at the read."""

    value: T
    version: int
    now: Instant


class DuplicateRecord(Exception):
    """``add`` found a live record under that key."""


class StaleRecord(Exception):
    """``replace`` found another version, or nothing: read again and decide again. Nothing was changed."""


class Records(Protocol[T]):
    """Live records of one kind under text keys that hold no personal value in clear.

    Every method raises :class:`bjidp.errors.StoreUnavailable` when the store does not answer.
    """

    async def add(self, key: str, value: T, lifetime: Millis) -> None:
        """Keep ``value`` for ``lifetime``; raise :class:`DuplicateRecord` when ``key`` is live already."""
        ...

    async def get(self, key: str) -> Held[T] | None:
        """Return the live record, or None when there is none or its time is over."""
        ...

    async def replace(self, key: str, value: T, expected: int, lifetime: Millis | None = None) -> int:
        """Set ``value`` if the live record still has version ``expected``; return the new version.

        ``lifetime`` starts anew when given, else the old deadline stays. Raises :class:`StaleRecord`.
        """
        ...

    async def take(self, key: str) -> T | None:
        """Remove the live record and return it: of many racing callers exactly one gets it, the others None."""
        ...
