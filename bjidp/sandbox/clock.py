"""Time as the outside services see it.

The sandbox shares no code with the server, so it has a clock of its own: a common mistake about time would otherwise
be invisible to every test. Everything that decides by time is given a :class:`Clock` or an :data:`Instant`.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, Protocol, TypeAlias

Instant: TypeAlias = int
"""Milliseconds since the Unix epoch, UTC."""

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_BEIJING: Final = timezone(timedelta(hours=8))


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


class ManualClock:
    """A clock that moves only when told to."""

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


def beijing_time(instant: Instant) -> str:
    """Write ``instant`` as the vendors do: ``2027-01-15 16:00:00``, Beijing time, no zone."""
    return datetime.fromtimestamp(instant / SECOND, _BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def beijing_date(instant: Instant) -> date:
    """Return the calendar day in Beijing."""
    return datetime.fromtimestamp(instant / SECOND, _BEIJING).date()


def rfc3339(instant: Instant) -> str:
    """Write ``instant`` as RFC 3339 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(instant // SECOND, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant % SECOND:03d}Z"
