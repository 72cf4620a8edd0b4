"""How long the verdict of a face check counts (attack B3). Pure; the rule of registrations and of tickets alike.

How old a verdict is, no platform tells. It is younger than the last moment at which there was none: the start of its
check, or the platform's last "not yet".
"""

from __future__ import annotations

from typing import Final

from bjidp.clock import SECOND, Instant, Millis
from bjidp.miniprogram.errors import FaceFailure
from bjidp.vendors.ports.platforms import FaceVerdict

VERDICT_AGE: Final[Millis] = 120 * SECOND
"""A verdict counts so long."""

SETTLING: Final[Millis] = 60 * SECOND
"""A verdict that was taken in time serves so long, while the authority or a store does not answer."""


def failure(verdict: FaceVerdict, *, without_verdict_at: Instant, answered_at: Instant) -> FaceFailure | None:
    """Return why a verdict that the platform gave by ``answered_at`` is no pass; None when it is one.

    Raises :class:`ValueError` while there is none.
    """
    match verdict:
        case FaceVerdict.PENDING:
            raise ValueError("there is no verdict yet")
        case FaceVerdict.FAILED:
            return FaceFailure.FAILED
        case FaceVerdict.CANCELLED:
            return FaceFailure.CANCELLED
        case FaceVerdict.PASSED:
            return FaceFailure.TOO_OLD if answered_at - without_verdict_at > VERDICT_AGE else None


def is_overdue(*, without_verdict_at: Instant, taken_at: Instant, now: Instant) -> bool:
    """Tell whether a verdict that was taken can't be used any more."""
    return now - without_verdict_at > VERDICT_AGE and now - taken_at > SETTLING
