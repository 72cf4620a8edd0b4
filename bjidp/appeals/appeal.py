"""An appeal: what it says, what may become of it, and for how long it is kept. Pure.

Owns the states, the moves between them and the limits. Called by the services of this room and by the store, which
writes what is decided here.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts.ports import Evidence
from bjidp.clock import DAY, MINUTE, SECOND, Instant, Millis
from bjidp.errors import RateLimited
from bjidp.person import Person
from bjidp.privacy.framing import framed
from bjidp.proofing.ports import NewIdentity
from bjidp.standing import Level, Status

A_DAY: Final = 3
"""Appeals that an account may file in 24 hours: each takes somebody's time."""

OF_AN_IDENTITY: Final = 5
"""Open appeals for one identity that may have as many pictures as others have; it is a crowd from then on."""

IN_A_CROWD: Final = 2
"""Pictures with each of the others. None is refused for being one too many: whoever knows a name and a number can be
there with five accounts before the person whose they are (attack U9)."""

ROOM: Final = 2 * 1024**3
"""Bytes that all attachments may take together: a flood of appeals does not fill the disk."""

ATTACHMENTS_KEPT: Final[Millis] = 30 * DAY
"""How long attachments are kept once an appeal is closed, for whoever asks why."""

KEPT: Final[Millis] = 180 * DAY
"""How long a closed appeal is kept, for its owner to read, as long as other notices are."""

TELL_AGAIN: Final[Millis] = 10 * MINUTE
"""How long whoever takes on to tell an outcome has for it at least, before another one does."""

TELL_FOR: Final[Millis] = 3 * DAY
"""How long it is tried to tell an outcome by SMS; the notice is there in any case."""


class State(StrEnum):
    """Where an appeal stands."""

    FILED = "filed"
    IN_REVIEW = "in_review"
    """Somebody of the staff has looked at it."""
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """By its owner."""


OPEN: Final = frozenset({State.FILED, State.IN_REVIEW})
"""States in which it waits for a decision."""


class Verdict(StrEnum):
    """What staff decide."""

    GRANT = "grant"
    REFUSE = "refuse"

    @property
    def state(self) -> State:
        """What the appeal is by it."""
        return State.GRANTED if self is Verdict.GRANT else State.REFUSED


class Attachment(Struct, frozen=True, kw_only=True):
    """A picture that came with an appeal: a photo, or a page of a document."""

    number: int
    """Its own within the appeal, from one."""
    file: int
    """Which of the files that were sent it is from, from one."""
    name: str
    """What that file was called; shown, and never used as the name of a file."""
    kind: str
    """What that file was."""
    size: int
    """Bytes of the picture as it is kept."""

    def __repr__(self) -> str:
        """Leave the name out: people call files by their own names."""
        return f"Attachment({self.number}, {self.kind}, {self.size}, ***)"


class Appeal(Struct, frozen=True, kw_only=True):
    """One appeal, in clear."""

    id: str
    account: str
    state: State
    new: NewIdentity
    """Who its owner is, as the authority has confirmed before it was filed."""
    exchange: bool
    """Whether the identity that the account has gives way to it (RNV-5)."""
    reason: str
    contact: str
    """How its owner wants to be reached besides the account's own number; empty where that suffices."""
    attachments: tuple[Attachment, ...] = ()
    """None any more some time after it was closed."""
    filed_at: Instant
    reviewed_at: Instant | None = None
    reviewer: str | None = None
    """Who of the staff looked first."""
    decided_at: Instant | None = None
    """When it was granted, refused or withdrawn."""
    decider: str | None = None
    explanation: str | None = None
    """Why it was decided so, for its owner to read."""

    @property
    def person(self) -> Person:
        """Whose identity it is about."""
        return self.new.person

    @property
    def is_open(self) -> bool:
        """Whether it waits for a decision."""
        return self.state in OPEN

    def __repr__(self) -> str:
        """Show its id and state alone."""
        return f"Appeal({self.id!r}, {self.state}, ***)"


class AppealClosed(Exception):
    """It was decided or withdrawn already."""

    def __init__(self, appeal: Appeal) -> None:
        """Give it as it stands."""
        super().__init__(appeal.state)
        self.appeal = appeal


def reviewed(appeal: Appeal, staff: str, now: Instant) -> Appeal:
    """Return the appeal after ``staff`` has looked at it: one that was filed is in review from then on."""
    if appeal.state is not State.FILED:
        return appeal
    return replace(appeal, state=State.IN_REVIEW, reviewer=staff, reviewed_at=now)


def decided(appeal: Appeal, verdict: Verdict, staff: str, explanation: str, now: Instant) -> Appeal:
    """Return the appeal after the decision; raise :class:`AppealClosed` where there is nothing to decide any more."""
    if not appeal.is_open:
        raise AppealClosed(appeal)
    return replace(appeal, state=verdict.state, decider=staff, decided_at=now, explanation=explanation)


def withdrawn(appeal: Appeal, now: Instant) -> Appeal:
    """Return the appeal after its owner took it back; raise :class:`AppealClosed`."""
    if not appeal.is_open:
        raise AppealClosed(appeal)
    return replace(appeal, state=State.WITHDRAWN, decided_at=now)


def granted_identity(appeal: Appeal) -> NewIdentity:
    """Return what a grant binds: people have decided, so it counts as name and number do, whatever was shown before."""
    return replace(appeal.new, evidence=Evidence.NAME_AND_NUMBER, evidence_reference=appeal.id)


class Side(Struct, frozen=True, kw_only=True):
    """An account as staff see it: the one that appeals, or the one that holds the identity."""

    ref: str
    status: Status
    created_at: Instant
    phone: str | None
    """Masked."""
    level: Level
    evidence: Evidence | None = None
    """Of its identity, whichever that is; None without one, as the rest of these."""
    bound_at: Instant | None = None
    proved_at: Instant | None = None
    """When its holder was last proved to be that person, whether or not it counts for more than what was before."""
    moved_at: Instant | None = None
    mark: str | None = None
    """Of its identity (:attr:`bjidp.proofing.ports.Bound.mark`)."""
    number: str | None = None
    """A word for its phone as it is sealed: another one for every number, and nobody gets the number from it."""
    epoch: int = 0
    """How often everybody was put out of it, a new number or password among the reasons."""

    def __repr__(self) -> str:
        """Show whose it is by its reference alone."""
        return f"Side({self.ref!r}, ***)"


class Case(Struct, frozen=True, kw_only=True):
    """An appeal with everything a decision is made on."""

    appeal: Appeal
    claimant: Side
    holder: Side | None
    """None where nobody holds the identity by now; the claimant itself where it came there by another way."""
    pictures: tuple[str, ...] = ()
    """A digest of each picture, in their order."""
    others: int = 0
    """Open appeals of other accounts for the same identity. No part of :attr:`facts`: strangers can file them."""

    @property
    def facts(self) -> str:
        """A word for all that could make another decision right: it changes whenever one of them does.

        Whoever decides repeats the word they were shown. In whose hands the account is that appeals is one of them; of
        the one that holds the identity it is not, or its owner could keep a decision off by logging in and out.
        """
        sides = [("claimant", self.claimant)] + ([] if self.holder is None else [("holder", self.holder)])
        parts = [part for name, side in sides for part in (name, side.ref, side.status.value, side.mark or "none")]
        hands = (self.claimant.number or "none", str(self.claimant.epoch))
        return hashlib.sha256(framed(self.appeal.id, *parts, *hands, "pictures", *self.pictures)).hexdigest()[:12]


def tell_again_at(decided_at: Instant, now: Instant) -> Instant:
    """Return when an outcome is to be told again that is being told ``now``, if it could not be.

    Each wait is twice as long as all before: a number is told a few things a day, and others count too (attack R4).
    """
    return now + max(TELL_AGAIN, 2 * (now - decided_at))


def require_rest(filed: list[Instant], now: Instant) -> None:
    """Raise ``RateLimited`` where an account that filed at these times may not file again yet."""
    recent = sorted(at for at in filed if now - at < DAY)
    if len(recent) >= A_DAY:
        raise RateLimited(-(-(recent[-A_DAY] + DAY - now) // SECOND))
