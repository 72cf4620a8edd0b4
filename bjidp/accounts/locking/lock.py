"""A lock of an account, or its end: what has to follow it, and for how long that is tried. Pure.

Owns both. Called by the store, which puts off what somebody takes on, and by what follows locks up.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bjidp.accounts.overview import Overview
from bjidp.clock import DAY, MINUTE, Instant, Millis
from bjidp.standing import Status

AGAIN: Final[Millis] = 10 * MINUTE
"""How long whoever takes on to follow one up has for it at least, before another one does."""

TELL_FOR: Final[Millis] = 3 * DAY
"""How long it is tried to tell it by SMS; the notice is there in any case."""


class Found(Struct, frozen=True):
    """An account as staff see it: every value masked."""

    ref: str
    status: Status
    created_at: Instant
    overview: Overview


class Change(Struct, frozen=True, kw_only=True):
    """That an account was locked, or unlocked, as far as it is not followed up."""

    account: str
    ref: str
    status: Status
    """What the account is by it."""
    at: Instant
    phone: str | None
    """Eleven digits."""
    settled: bool
    """What was logged in is ended wherever it is kept."""

    def __repr__(self) -> str:
        """Show whose it is by its reference alone."""
        return f"Change({self.ref!r}, {self.status}, ***)"


def again_at(at: Instant, now: Instant) -> Instant:
    """Return when a change of the moment ``at`` is to be followed up again that is being followed up ``now``.

    Each wait is twice as long as all before: a number is told a few things a day, and others count too (attack R4).
    """
    return now + max(AGAIN, 2 * (now - at))
