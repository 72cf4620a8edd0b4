"""A registration: what is known of a platform identity on its way to an account. Pure.

Owns the states, and the transitions as functions ``(registration, facts, now) -> registration``. A verdict is taken
by moving the record on, so it is used once: who loses the race reads again and decides again (attack B3). Names,
numbers and openids wait here sealed.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from bjidp.clock import MINUTE, SECOND, Instant, Millis
from bjidp.miniprogram import verdicts
from bjidp.miniprogram.errors import FaceFailed, FaceFailure, FacePending, IdentityMismatch
from bjidp.person import Person
from bjidp.platforms import Platform
from bjidp.proofing.adjudication import Advice, Denied, Proved, by_authority
from bjidp.vendors.ports.platforms import FaceVerdict
from bjidp.vendors.ports.registers import Finding

LIFETIME: Millis = 15 * MINUTE
"""From the login code to the start of the last face check."""

KEPT: Millis = LIFETIME + 3 * MINUTE
"""How long the record is kept, so that a face check started at the last moment can be finished."""

CLAIM_LIFETIME: Millis = 30 * MINUTE
"""A passed face check keeps its claim to an account that holds the identity so long (RNV-7)."""

DONE_LIFETIME: Millis = 30 * SECOND
"""The same call is answered the same so long."""


class FaceRefusal(Struct, frozen=True, tag="face"):
    """The last face check gave no pass."""

    reason: FaceFailure


class AuthorityRefusal(Struct, frozen=True, tag="authority"):
    """The face passed; the authority said no."""

    advice: tuple[Advice, ...]


Refusal: TypeAlias = FaceRefusal | AuthorityRefusal


class Check(Struct, frozen=True):
    """The facts frozen when a face check was started: its verdict counts for them alone (attack B2).

    ``person`` is sealed. ``without_verdict_at`` is the last moment at which there was no verdict.
    """

    reference: str
    verification: str
    person: bytes
    valid_days: int
    started_at: Instant
    without_verdict_at: Instant


class Opened(Struct, frozen=True, tag="opened"):
    """No face check is under way; ``refusal`` is what became of the last one."""

    refusal: Refusal | None = None


class Checking(Struct, frozen=True, tag="checking"):
    """A face check was started and its verdict not taken yet."""

    check: Check


class Passed(Struct, frozen=True, tag="passed"):
    """The face passed, and the verdict was taken. ``authority`` is the reference of its yes, once it said so."""

    check: Check
    taken_at: Instant
    authority: str | None = None


class Found(Struct, frozen=True, tag="found"):
    """An account holds the identity by a weaker proof: waits to be claimed. Username and phone are masked.

    ``proved`` tells that a code to the account's own phone was right.
    """

    check: Check
    authority: str
    account: str
    username: str
    phone: str | None
    proved: bool = False


class Done(Struct, frozen=True, tag="done"):
    """The phone is logged in; nothing of the person is left here."""

    session: str


State: TypeAlias = Opened | Checking | Passed | Found | Done


class Registration(Struct, frozen=True):
    """One registration. ``identity`` is sealed.

    ``prepaid`` is the counting key of a document whose face check was counted and could not be opened at the
    platform: its next one is not counted again, so an outage uses up nobody's tries.
    """

    platform: Platform
    identity: bytes
    expires_at: Instant
    state: State = Opened()
    prepaid: str | None = None


class InvalidTransition(Exception):
    """The event does not belong to the state."""

    def __init__(self, state: State, event: str) -> None:
        """Name both."""
        super().__init__(f"{event} in {type(state).__name__}")


def restart(registration: Registration, now: Instant) -> Registration:
    """End what came of earlier face checks of this registration, to make room for a new one."""
    if isinstance(registration.state, Done) or now >= registration.expires_at:
        raise InvalidTransition(registration.state, "restart")
    return replace(registration, state=Opened(), prepaid=None)


def started(registration: Registration, check: Check) -> Registration:
    """A face check was opened at the platform for exactly these facts."""
    if not isinstance(registration.state, Opened):
        raise InvalidTransition(registration.state, "started")
    return replace(registration, state=Checking(check))


def not_started(registration: Registration, document: str) -> Registration:
    """The platform could not open the face check that was counted under the key ``document``."""
    if not isinstance(registration.state, Opened):
        raise InvalidTransition(registration.state, "not_started")
    return replace(registration, prepaid=document)


def judged(
    registration: Registration, verdict: FaceVerdict, *, asked_at: Instant, answered_at: Instant
) -> Registration:
    """The platform was asked at ``asked_at`` and had answered by ``answered_at``: of both the stricter one counts."""
    state = registration.state
    if not isinstance(state, Checking):
        raise InvalidTransition(state, "judged")
    since = state.check.without_verdict_at
    if verdict is FaceVerdict.PENDING:
        return replace(registration, state=Checking(replace(state.check, without_verdict_at=max(asked_at, since))))
    failed = verdicts.failure(verdict, without_verdict_at=since, answered_at=answered_at)
    if failed is not None:
        return _refused(registration, failed)
    return replace(registration, state=Passed(state.check, answered_at))


def overdue(state: Passed, now: Instant) -> bool:
    """Tell whether a verdict that was taken can't be used any more."""
    return verdicts.is_overdue(without_verdict_at=state.check.without_verdict_at, taken_at=state.taken_at, now=now)


def lapsed(registration: Registration) -> Registration:
    """The verdict was not used in time."""
    if not isinstance(registration.state, Passed):
        raise InvalidTransition(registration.state, "lapsed")
    return _refused(registration, FaceFailure.TOO_OLD)


def answered(registration: Registration, person: Person, finding: Finding) -> Registration:
    """The authority was asked about the frozen person. Every answer but a clear match ends this face check."""
    state = registration.state
    if not isinstance(state, Passed) or state.authority is not None:
        raise InvalidTransition(state, "answered")
    match by_authority(person, finding):
        case Proved(reference=reference):
            return replace(registration, state=replace(state, authority=reference))
        case Denied(advice=advice):
            return replace(registration, state=Opened(AuthorityRefusal(advice)))


def found(registration: Registration, *, account: str, username: str, phone: str | None, now: Instant) -> Registration:
    """An account holds the identity by a weaker proof than a face: keep the claim."""
    state = registration.state
    if not isinstance(state, Passed) or state.authority is None:
        raise InvalidTransition(state, "found")
    claim = Found(state.check, state.authority, account, username, phone)
    return replace(registration, state=claim, expires_at=now + CLAIM_LIFETIME)


def found_anew(registration: Registration, *, account: str, username: str, phone: str | None) -> Registration:
    """Another account holds the identity by now: the claim is to that one, and nothing proved for it yet."""
    state = registration.state
    if not isinstance(state, Found):
        raise InvalidTransition(state, "found_anew")
    return replace(registration, state=Found(state.check, state.authority, account, username, phone))


def proved(registration: Registration) -> Registration:
    """A code to the phone of the account that was found was right: the claim is the person's own."""
    state = registration.state
    if not isinstance(state, Found):
        raise InvalidTransition(state, "proved")
    return replace(registration, state=replace(state, proved=True))


def done(registration: Registration, session: str) -> Registration:
    """The account is there and the phone logged in to it."""
    state = registration.state
    if not isinstance(state, Found) and (not isinstance(state, Passed) or state.authority is None):
        raise InvalidTransition(state, "done")
    return replace(registration, state=Done(session))


def error_of(refusal: Refusal | None) -> FacePending | FaceFailed | IdentityMismatch:
    """Return what a phone is told that asks for the outcome while no face check is under way."""
    match refusal:
        case None:
            return FacePending()
        case FaceRefusal(reason=reason):
            return FaceFailed(reason)
        case AuthorityRefusal(advice=advice):
            return IdentityMismatch(advice)


def _refused(registration: Registration, reason: FaceFailure) -> Registration:
    return replace(registration, state=Opened(FaceRefusal(reason)))
