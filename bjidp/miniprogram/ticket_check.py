"""The face check of a platform identity for a ticket: what it was started for, and what came of it. Pure.

Owns the states, and that a verdict counts for the facts frozen in one alone (attack B2), is young (attack B3), and is
used once: it is taken by moving the record on, and the record is over when its ticket knows. A platform identity has
one such check at a time, the newest. What is personal waits here sealed.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from bjidp.clock import Instant
from bjidp.miniprogram import verdicts
from bjidp.miniprogram.errors import FaceFailed, FaceFailure
from bjidp.person import Person
from bjidp.platforms import PlatformIdentity
from bjidp.vendors.ports.platforms import FaceVerdict


class Facts(Struct, frozen=True):
    """What a check was started for: whose face, on which phone, and for which ticket of which account.

    ``mark`` is the one of the account's identity, which ``person`` is.
    """

    identity: PlatformIdentity
    person: Person
    ticket: str
    account: str
    mark: str

    def __repr__(self) -> str:
        """Show the ticket alone: the rest is personal."""
        return f"Facts({self.ticket!r}, ***)"


class Opening(Struct, frozen=True, tag="opening"):
    """It is being opened at the platform, or could not be.

    ``prepaid``: it was counted all the same, so the next one is not. An outage uses up nobody's tries.
    """

    prepaid: bool = False


class Waiting(Struct, frozen=True, tag="waiting"):
    """Opened, and its verdict not taken yet. ``facts`` are sealed; ``verification`` is the platform's name for it."""

    verification: str
    facts: bytes
    without_verdict_at: Instant


class Passed(Struct, frozen=True, tag="passed"):
    """The verdict was taken, and the ticket may not know yet."""

    facts: bytes
    without_verdict_at: Instant
    taken_at: Instant


class Over(Struct, frozen=True, tag="over"):
    """Nothing comes of it any more: it failed, or was used."""

    reason: FaceFailure


State: TypeAlias = Opening | Waiting | Passed | Over


class TicketCheck(Struct, frozen=True):
    """One check. ``reference`` is ours: the ticket knows it, and so does the platform."""

    reference: str
    state: State


def judged(
    check: TicketCheck, waiting: Waiting, verdict: FaceVerdict, *, asked_at: Instant, answered_at: Instant
) -> TicketCheck:
    """The platform was asked at ``asked_at`` and had answered by ``answered_at``: of both the stricter one counts."""
    if verdict is FaceVerdict.PENDING:
        return replace(check, state=replace(waiting, without_verdict_at=max(asked_at, waiting.without_verdict_at)))
    failed = verdicts.failure(verdict, without_verdict_at=waiting.without_verdict_at, answered_at=answered_at)
    if failed is not None:
        return replace(check, state=Over(failed))
    return replace(check, state=Passed(waiting.facts, waiting.without_verdict_at, answered_at))


def used(check: TicketCheck) -> TicketCheck:
    """The ticket knows that it passed: no other one shall."""
    return replace(check, state=Over(FaceFailure.TOO_OLD))


def require_same(frozen: Facts, found: Facts) -> None:
    """Raise :class:`FaceFailed` unless a check was started for exactly what is ``found`` now (attack B2)."""
    if frozen != found:
        raise FaceFailed(FaceFailure.FAILED)


def require_usable(passed: Passed, now: Instant) -> None:
    """Raise :class:`FaceFailed` for a verdict that was taken and not used in time."""
    if verdicts.is_overdue(without_verdict_at=passed.without_verdict_at, taken_at=passed.taken_at, now=now):
        raise FaceFailed(FaceFailure.TOO_OLD)
