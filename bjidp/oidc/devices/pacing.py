"""How often a device may ask whether its code was confirmed (RFC 8628, section 3.5).

Owns the arithmetic of ``slow_down``: who asks sooner than the interval after its last question is told so, and the
interval is five seconds longer for that device code from then on. Pure; kept apart from the ticket, so that a question
never writes over an answer (attack Q6).
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bjidp.clock import MINUTE, SECOND, Instant, Millis

INTERVAL: Final[Millis] = 5 * SECOND
"""Between two questions, to begin with."""

LONGER: Final[Millis] = 5 * SECOND
"""By how much each ``slow_down`` makes it longer."""

LEEWAY: Final[Millis] = SECOND // 2
"""What the way of two questions may differ by: who waits the interval between sending them asks in time."""

REMEMBERED: Final[Millis] = 10 * MINUTE
"""How long questions are counted: longer than any device code lives."""


class Pace(Struct, frozen=True):
    """The questions of one device code so far."""

    asked_at: Instant
    interval: Millis


def first(now: Instant) -> Pace:
    """Return the pace after the first question, which may come at any time."""
    return Pace(now, INTERVAL)


def asked(pace: Pace, now: Instant) -> tuple[Pace, bool]:
    """Return the pace after another question, and whether that came too soon."""
    if now - pace.asked_at >= pace.interval - LEEWAY:
        return Pace(now, pace.interval), False
    return Pace(max(now, pace.asked_at), pace.interval + LONGER), True
