"""Telephone numbers that may be somebody else's by now, since operators hand them out again (LOG-6). Pure.

Owns how long a number is its account's own after it was last proved. Asked by every flow that takes a code to it for a
proof of who somebody is.
"""

from __future__ import annotations

from typing import Final

from bjidp.clock import DAY, Instant, Millis

UNUSED: Final[Millis] = 60 * DAY


def may_be_anothers(proved_at: Instant | None, now: Instant) -> bool:
    """Tell whether a number that was last proved at ``proved_at``, or never, may have another owner."""
    return proved_at is None or now - proved_at > UNUSED
