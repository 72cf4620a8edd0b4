"""What appeals need from outside: their store, and somebody to look into files.

Owns the ports and the failures that only staff are told of. Implemented by ``storage.sql`` and
:mod:`bjidp.appeals.isolation`. One call of the store is one transaction.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from bjidp.appeals.appeal import Appeal, Case, State, Verdict
from bjidp.appeals.attachments import Fault, Kind, Picture
from bjidp.clock import Instant
from bjidp.proofing.ports import NewIdentity, PutOut


class AttachmentRefused(Exception):
    """A file is not taken."""

    def __init__(self, fault: Fault, *, given_up: bool = False) -> None:
        """Say why; ``given_up`` says that what looked into it was brought down, or took too long."""
        super().__init__(fault)
        self.fault = fault
        self.given_up = given_up


class AppealUnknown(Exception):
    """There is no such appeal, or no more: it goes with the account that filed it."""


class FactsChanged(Exception):
    """What the decision was made on is not so any more; nothing was decided."""


class NotGrantable(Exception):
    """The appeal can only be refused as things are: ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        """Say why: ``own``, ``other_identity``, or the status of the account that appeals."""
        super().__init__(reason)
        self.reason = reason


class NewAppeal(Struct, frozen=True, kw_only=True):
    """What is filed."""

    account: str
    new: NewIdentity
    exchange: bool
    reason: str
    contact: str
    pictures: tuple[Picture, ...]

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "NewAppeal(***)"


class Decision(Struct, frozen=True, kw_only=True):
    """What somebody of the staff decides, on facts they were shown."""

    appeal: str
    verdict: Verdict
    facts: str
    """:attr:`bjidp.appeals.appeal.Case.facts` of the case as it was shown."""
    staff: str
    explanation: str

    def __repr__(self) -> str:
        """Leave the explanation out."""
        return f"Decision({self.appeal!r}, {self.verdict}, {self.staff!r}, ***)"


class Waiting(Struct, frozen=True, kw_only=True):
    """An open appeal in a list: nothing of it says who somebody is."""

    id: str
    state: State
    filed_at: Instant
    reviewer: str | None
    pictures: int


class Outcome(Struct, frozen=True, kw_only=True):
    """What has to follow a decision, once for everybody concerned."""

    appeal: str
    state: State
    decided_at: Instant
    exchanged: bool
    """The account's own sessions end too: it was another person's before (RNV-5)."""
    claimant: PutOut | None
    """None once it was told, or has nobody to be told."""
    loser: PutOut | None
    """None where nobody lost anything, or it was told."""


class Sanitiser(Protocol):
    """Looks into files."""

    def require_time(self, account: str) -> None:
        """Raise ``RateLimited`` where files of an account have taken all the time that they may."""
        ...

    async def pictures(self, account: str, kind: Kind, data: bytes) -> list[bytes]:
        """Return the harmless pictures that a file of an account comes to, in its turn.

        Raises :class:`AttachmentRefused`, ``TooBusy`` and ``RateLimited``.
        """
        ...


class AppealStore(Protocol):
    """Appeals. Raises ``StoreUnavailable`` when it does not answer."""

    async def file(self, new: NewAppeal, now: Instant, *, room: int) -> str:
        """Keep an appeal, audited; return its id. ``room`` is how many bytes all attachments may take together.

        Of parallel calls no more are kept than may be. Raises ``AccountRefused``,
        :class:`bjidp.appeals.errors.AppealOpen`, :class:`bjidp.appeals.errors.AppealNotNeeded`,
        :class:`bjidp.appeals.errors.AppealsCrowded`, :class:`bjidp.appeals.errors.AppealsFull` and ``RateLimited``.
        """
        ...

    async def newest(self, account: str) -> Appeal | None:
        """Return the appeal that an account filed last, or None."""
        ...

    async def state(self, account: str) -> State | None:
        """Return how the appeal stands that an account filed last, None without one: all that a centre shows of it."""
        ...

    async def withdraw(self, account: str, appeal: str, now: Instant) -> bool:
        """Close an open appeal of the account, audited; return whether there was one. Raises ``AccountRefused``."""
        ...

    async def waiting(self, staff: str, now: Instant, limit: int) -> list[Waiting]:
        """Return open appeals, the oldest first; audited as a look."""
        ...

    async def review(self, appeal: str, staff: str, now: Instant) -> Case:
        """Return everything about an appeal, audited as a look; one that was filed is in review from then on.

        Raises :class:`AppealUnknown`.
        """
        ...

    async def picture(self, appeal: str, number: int, staff: str, now: Instant) -> bytes:
        """Return a picture of an appeal, audited as a look; raise :class:`AppealUnknown` where there is none."""
        ...

    async def decide(self, decision: Decision, now: Instant) -> Appeal:
        """Decide an appeal: the identity moves, everybody concerned has their notice, all is audited, or nothing is.

        A granted identity is the account's at L2, whoever held it and however well it was proved there; whoever loses
        it is put out in the same transaction. What follows is an :class:`Outcome` from then on. Of parallel calls one
        decides. Raises :class:`AppealUnknown`, :class:`bjidp.appeals.appeal.AppealClosed`, :class:`FactsChanged`, and
        for a grant :class:`NotGrantable`.
        """
        ...

    async def outcomes(self, now: Instant, limit: int) -> list[Outcome]:
        """Take on at most ``limit`` outcomes that are to be told; nobody else is given them for some minutes."""
        ...

    async def told(self, appeal: str, now: Instant, *, loser: bool) -> None:
        """Note that an outcome was handed over to be sent, to the one who appealed or to the ``loser``."""
        ...

    async def followed(self, appeal: str) -> None:
        """Note that nobody is left to be told of the outcome."""
        ...

    async def forget_attachments(self, before: Instant, limit: int) -> int:
        """Delete at most ``limit`` pictures of appeals that were closed before ``before``; return how many."""
        ...

    async def forget(self, before: Instant, limit: int) -> int:
        """Delete at most ``limit`` appeals that were closed before ``before``; return how many."""
        ...
