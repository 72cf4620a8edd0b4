"""Time as a dependency.

Owns the one way to ask what time it is, and the one to measure how much of it passes. Everything that decides by time
is given a :class:`Clock` or an :data:`Instant`, or a :data:`Stopwatch`; nothing calls ``time.time``, ``time.monotonic``
or ``datetime.now`` (ruff refuses these names elsewhere).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, Protocol, TypeAlias

Instant: TypeAlias = int
"""Milliseconds since the Unix epoch, UTC. Whole numbers, so that a value survives every store unchanged."""

Millis: TypeAlias = int
"""A span of time in milliseconds."""

Stopwatch: TypeAlias = Callable[[], float]
"""Tells seconds from a beginning of its own; they never go back, whatever is done to the machine's clock."""

SECOND: Millis = 1000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE
DAY: Millis = 24 * HOUR

BEIJING: Final = timezone(timedelta(hours=8))
"""The civil time of pages, documents and vendors. A fixed offset, so that no time zone data has to be installed: China
has kept it without summer time since 1991."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> Instant:
        """Return the current time in milliseconds since the Unix epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Instant:
        """Return the machine's time in milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000


SYSTEM_STOPWATCH: Final[Stopwatch] = time.monotonic
"""The machine's stopwatch."""


class ManualClock:
    """A clock that moves only when told to: for tests and for replaying a story."""

    def __init__(self, start: Instant = 1_800_000_000_000) -> None:
        """Start at ``start`` milliseconds since the Unix epoch."""
        self._now = start

    def now(self) -> Instant:
        """Return the time last set."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward by ``seconds``; never backward."""
        if seconds < 0:
            raise ValueError("a clock does not run backward")
        self._now += round(seconds * SECOND)


def rfc3339(instant: Instant) -> str:
    """Write ``instant`` as RFC 3339 in UTC with milliseconds, for example ``2027-01-15T08:00:00.000Z``."""
    return f"{_to_the_second(instant // SECOND)}.{instant % SECOND:03d}Z"


def in_beijing(instant: Instant) -> datetime:
    """Return ``instant`` as clocks in Beijing show it."""
    return datetime.fromtimestamp(instant / SECOND, BEIJING)


@lru_cache(64)
def _to_the_second(seconds: int) -> str:
    # Many are written within one second, and the calendar takes most of the time.
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()
