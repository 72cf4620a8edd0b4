"""When a number was sent messages, and whether it may be sent one more (FAQ-1). Pure.

Owns the record of a number and the rule. One record holds what strangers and the owner asked for, so that both shares
are decided in one step.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.clock import DAY, HOUR, MINUTE, SECOND, Instant
from bjidp.errors import RateLimited
from bjidp.throttle.ports import Window
from bjidp.verification.errors import SmsDaily, SmsHourly


class Asked(Struct, frozen=True, gc=False):
    """One message; ``owner`` tells that the number's own account asked for it, so far as the server can tell."""

    at: Instant
    owner: bool


class Tally(Struct, frozen=True):
    """The messages of the last 24 hours, oldest first."""

    asked: tuple[Asked, ...] = ()


class NumberLimits(Struct, frozen=True, kw_only=True):
    """How many messages a number is sent, and how many of them strangers may ask for."""

    minute: int = 1
    hour: int = 5
    day: int = 10
    hour_of_strangers: int = 3
    day_of_strangers: int = 6


def counted(tally: Tally, *, owner: bool, limits: NumberLimits, now: Instant) -> Tally:
    """Return the tally with one message more.

    Raises :class:`SmsDaily`, :class:`SmsHourly` or ``RateLimited``, by the longest window that is full.
    ``retry_after`` is the time until every window has room.
    """
    recent = tuple(asked for asked in tally.asked if asked.at > now - DAY)
    every = [asked.at for asked in recent]
    daily = _wait(every, Window(limits.day, DAY), now)
    hourly = _wait(every, Window(limits.hour, HOUR), now)
    if not owner:
        strange = [asked.at for asked in recent if not asked.owner]
        daily = max(daily, _wait(strange, Window(limits.day_of_strangers, DAY), now))
        hourly = max(hourly, _wait(strange, Window(limits.hour_of_strangers, HOUR), now))
    soon = _wait(every, Window(limits.minute, MINUTE), now)
    seconds = -(-max(daily, hourly, soon) // SECOND)
    if daily:
        raise SmsDaily(seconds)
    if hourly:
        raise SmsHourly(seconds)
    if soon:
        raise RateLimited(seconds)
    # A clock that was set back must not put the times out of order.
    return Tally((*recent, Asked(max([now, *every[-1:]]), owner)))


def _wait(times: list[Instant], window: Window, now: Instant) -> int:
    """Return how long it takes until the window has room for one more, 0 when it has."""
    if window.limit < 1:
        return window.span
    if len(times) < window.limit:
        return 0
    return max(0, times[-window.limit] + window.span - now)
