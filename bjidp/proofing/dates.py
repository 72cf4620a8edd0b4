"""Civil dates. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from bjidp.clock import BEIJING, DAY, Instant

_EPOCH = date(1970, 1, 1)
_BEIJING_OFFSET = BEIJING.utcoffset(None) // timedelta(milliseconds=1)


def beijing_date(now: Instant) -> date:
    """Return the calendar day in Beijing at ``now``: the day documents are judged by."""
    return _EPOCH + timedelta(days=(now + _BEIJING_OFFSET) // DAY)


def end_of_day(day: date) -> Instant:
    """Return the first moment, in Beijing, at which ``day`` is over."""
    return (day + timedelta(days=1) - _EPOCH).days * DAY - _BEIJING_OFFSET


def read_date(text: str) -> date | None:
    """Read ``yyyyMMdd``; None for a day that no calendar has."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None
