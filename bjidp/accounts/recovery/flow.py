"""A recovery over several pages: its facts, and the step they lead to. Pure.

Owns the rule of who proves what. On a computer (REC-1, REC-2) somebody names an account in any way, and proves it by a
code to its phone and, when it is real-named, by its document number; without a phone, or instead, in 京通. On a phone
(REC-3) they name their number and prove it; an account that is real-named and whose number nobody proved for sixty days
is asked its document number then, since numbers are handed out again (LOG-6).

A name that nobody has leads to facts of the very same form (attack R1): see :mod:`bjidp.accounts.recovery.decoys`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts import masks
from bjidp.accounts.fields import REPEATED
from bjidp.accounts.identifiers import IdentifierKind
from bjidp.accounts.member_ports import Member
from bjidp.accounts.names import TypedName
from bjidp.accounts.reassigned import may_be_anothers
from bjidp.accounts.surface import Surface
from bjidp.clock import MINUTE, SECOND, Instant, Millis
from bjidp.verification.number import MobileNumber

PROVED_FOR: Final[Millis] = 15 * MINUTE
"""How long somebody may take to think of a password before whoever comes to the computer next may."""

SAVING: Final[Millis] = 10 * SECOND
"""How long a write is waited for before nobody knows that it came."""

HIDDEN_DOCUMENT: Final = masks.mask_document("")
"""A document of which nothing is shown."""

DOCUMENTS: Final = 5
"""Document numbers tried in one recovery; after so many it is over."""


class Step(StrEnum):
    """Where a recovery stands."""

    NAME = "name"
    IDENTITY = "identity"
    PASSWORD = "password"
    SAVING = "saving"
    """Another post of the same form is writing it at this moment."""
    DONE = "done"
    NOBODY = "nobody"
    """The number was proved, and no account has it. Only whoever holds the number gets here."""
    SPENT = "spent"
    """The new password was about to be written, and nobody knows that it was: it begins again."""


class Recovery(Struct, frozen=True, kw_only=True):
    """The facts of a recovery whose account was named."""

    surface: Surface
    shown: str = ""
    """The name as it may be repeated to whoever typed it."""
    account: str = ""
    """Empty on a phone until the number was proved. That of a decoy is nobody's, and looks like any other."""
    mark: str = ""
    """A digest of the account's password and phone: another one makes the recovery void (attack R3)."""
    number: str | None = None
    """Where codes go, None for an account without a phone."""
    number_shown: str = ""
    document_shown: str = ""
    """Empty where no document number is asked."""
    real: bool = False
    """Whether messages go out."""
    dispatch: str = ""
    """The message that was sent last."""
    again_at: Instant = 0
    """When the next one may be asked for."""
    document: str = ""
    """As it was typed when the code was asked for, to be shown again."""
    phone_proved: bool = False
    documents_tried: int = 0
    proved_at: Instant | None = None
    """When the account was proved to be theirs; no other fault costs a second proof."""
    claimed_at: Instant | None = None
    """When the new password was about to be written; nothing else of this recovery is kept."""
    done: bool = False

    def __repr__(self) -> str:
        """Show how far it is alone: the rest is personal."""
        return f"Recovery({self.surface}, proved={self.proved_at is not None}, done={self.done})"

    @property
    def asks_document(self) -> bool:
        """Whether the page asks a document number now: on a phone only whoever holds the number learns of it."""
        return bool(self.document_shown) and (self.surface is Surface.PC or self.phone_proved)

    @property
    def asks_code(self) -> bool:
        """Whether the page asks a code now."""
        return self.number is not None and not self.phone_proved


def next_step(facts: Recovery | None, now: Instant, *, confirmed: bool = False) -> Step:
    """Return the step that is due: what was not done yet comes first, whatever page was asked for.

    ``confirmed`` tells that the account's 京通 has confirmed. That is asked each time and is no fact, since whoever
    confirmed may take it back until the password is set.
    """
    if facts is None:
        return Step.NAME
    if facts.claimed_at is not None:
        if facts.done:
            return Step.DONE
        return Step.SAVING if now - facts.claimed_at < SAVING else Step.SPENT
    if confirmed or is_proved(facts, now):
        return Step.PASSWORD
    if facts.phone_proved and not facts.account:
        return Step.NOBODY
    if facts.documents_tried >= DOCUMENTS:
        return Step.SPENT
    return Step.IDENTITY


def is_proved(facts: Recovery, now: Instant) -> bool:
    """Tell whether the account was proved to be theirs on this page, a short while ago."""
    return facts.proved_at is not None and now - facts.proved_at <= PROVED_FOR


def of_member(name: TypedName, member: Member, mark: str, now: Instant) -> Recovery:
    """Return the facts once the account was named on a computer.

    Of the document its end is shown, but for a number that may be somebody else's by now: the end is what the login by
    a code asks that person (LOG-6).
    """
    return Recovery(
        surface=Surface.PC,
        shown=name.shown,
        account=member.standing.account,
        mark=mark,
        number=member.phone,
        number_shown="" if member.phone is None else masks.mask_phone(member.phone),
        document_shown=_document_shown(name, member, now),
        real=True,
    )


def _document_shown(name: TypedName, member: Member, now: Instant) -> str:
    if member.phone is None or member.document is None:
        return ""
    if name.kind is IdentifierKind.DOCUMENT:
        return name.shown
    hidden = may_be_anothers(member.phone_used_at, now)
    return HIDDEN_DOCUMENT if hidden else masks.mask_document(member.document.number)


def of_number(number: MobileNumber) -> Recovery:
    """Return the facts once a number was named on a phone: whose it is nobody asks before it is proved."""
    shown = masks.mask_phone(number.digits)
    return Recovery(surface=Surface.H5, shown=shown, number=number.digits, number_shown=shown, real=True)


def with_code_sent(facts: Recovery, dispatch: str, again_at: Instant, document: str) -> Recovery:
    """Return the facts after a code was sent; ``document`` is what was typed beside it."""
    return replace(facts, dispatch=dispatch, again_at=again_at, document=document[:REPEATED])


def with_phone_proved(facts: Recovery) -> Recovery:
    """Return the facts after a right code."""
    return replace(facts, phone_proved=True)


def with_owner(facts: Recovery, member: Member, mark: str, now: Instant) -> Recovery:
    """Return the facts on a phone once it was asked whose the proved number is."""
    needs_document = member.document is not None and may_be_anothers(member.phone_used_at, now)
    return replace(
        facts,
        account=member.standing.account,
        mark=mark,
        document_shown=HIDDEN_DOCUMENT if needs_document else "",
    )


def with_document_tried(facts: Recovery) -> Recovery:
    """Return the facts before a document number is compared, so that no try is free (attack O4)."""
    return replace(facts, documents_tried=facts.documents_tried + 1)


def with_proof(facts: Recovery, now: Instant) -> Recovery:
    """Return the facts once the account was proved to be theirs."""
    return replace(facts, proved_at=now, document="")


def claimed(facts: Recovery, now: Instant) -> Recovery:
    """Return the facts before the write: of all that was known nothing is left to be used again (attack R3)."""
    return Recovery(surface=facts.surface, claimed_at=now)


def finished(facts: Recovery) -> Recovery:
    """Return the facts after the write."""
    return replace(facts, done=True)
