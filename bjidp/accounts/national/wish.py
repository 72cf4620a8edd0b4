"""Somebody's wish to become a user of 国家政务服务平台 too: what is handed on, when, and how long it waits. Pure.

A user is made there by a proved identity, and 实名认证 comes after the box that is ticked. So a wish waits for the
identity, and falls due in the transaction that binds it. It is the wish of the person who made it: it ends with the
first identity that the account gives up, since whoever has the account then never asked.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from bjidp.clock import DAY, HOUR, MINUTE, Instant, Millis
from bjidp.person import Person

KEPT: Final[Millis] = 30 * DAY
"""How long a wish waits for an identity. One that has met a platform that is down waits for as long as it takes."""

FIRST_PAUSE: Final[Millis] = MINUTE
"""After the first attempt: several times what one call may take, so that nobody else tries meanwhile."""

LONGEST_PAUSE: Final[Millis] = 6 * HOUR


class Wish(Struct, frozen=True, kw_only=True):
    """A wish whose turn it is, with everything that is handed on."""

    reference: str
    """Ours, random: by it the platform knows a second attempt from a second person, and nobody anything else."""
    person: Person
    phone: str
    """Eleven digits."""
    attempts: int
    """This one among them."""

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return f"Wish({self.reference!r}, attempts={self.attempts})"


class Waiting(Struct, frozen=True):
    """A wish as the operator sees it."""

    reference: str
    wished_at: Instant
    attempts: int
    due_at: Instant | None
    """None while the account has no identity."""


class WishEnd(StrEnum):
    """How the platform has ended a wish."""

    JOINED = "joined"
    KNOWN = "known"
    """The person is a user there already."""
    REFUSED = "refused"


def again_at(attempts: int, now: Instant) -> Instant:
    """Return when a wish is due again that was taken on for this many times: ever later, four times a day at last."""
    # The number of doublings is bounded before it is used: a wish may be tried for years.
    return now + min(FIRST_PAUSE << min(attempts - 1, 16), LONGEST_PAUSE)
