"""A login by a code: its facts, and what follows from them. Pure.

Owns how long a right code counts, and how the last characters of a document are compared and counted.
"""

from __future__ import annotations

import hmac
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts.drafts import Draft, DraftUnknown
from bjidp.accounts.errors import TailSpent
from bjidp.accounts.member_ports import Member
from bjidp.clock import Instant
from bjidp.verification.code import LIFETIME
from bjidp.verification.number import MobileNumber
from bjidp.verification.typed import plain

TAIL: Final = 4
TAIL_TRIES: Final = 5


class SmsLoginFacts(Struct, frozen=True, kw_only=True):
    """What is known of a login that is not over."""

    dispatch: str = ""
    """The message with the code, by which the page asks what became of it."""
    again_at: Instant = 0
    """When the next one may be asked for."""
    proved: str | None = None
    """The number whose code was right: eleven digits."""
    proved_at: Instant = 0
    """When. It counts as long as the code would have lived: nobody finds an open door at a browser left alone."""
    account: str | None = None
    """Whose document is asked for."""
    tries_left: int = TAIL_TRIES
    """At its last characters."""
    session: str | None = None
    """The public id of the session that this login came to."""

    def __repr__(self) -> str:
        """Show how far it is alone: the rest is personal."""
        return f"SmsLoginFacts(proved={self.proved is not None})"


class Proved(Struct, frozen=True):
    """Whose login it is, in which flow."""

    flow: str
    member: Member


class NoSuchMember(Struct, frozen=True):
    """The number was proved, and no account has it."""


class AskTail(Struct, frozen=True):
    """The number was proved; the last characters of the account's document are asked for, in this flow."""

    flow: str


def is_proved(draft: Draft[SmsLoginFacts], number: MobileNumber) -> bool:
    """Tell whether a code to ``number`` was right, a short while ago."""
    return draft.facts.proved == number.digits and draft.now - draft.facts.proved_at < LIFETIME


def proved(facts: SmsLoginFacts, number: MobileNumber, now: Instant) -> SmsLoginFacts:
    """Return the facts after a right code: whatever was asked about another number is over."""
    return SmsLoginFacts(proved=number.digits, proved_at=now, dispatch=facts.dispatch, again_at=facts.again_at)


def asking_tail(facts: SmsLoginFacts, account: str) -> SmsLoginFacts:
    """Return the facts of a login that waits for the end of this account's document.

    The tries at one document are those of the whole login, however often its form is posted.
    """
    return facts if facts.account == account else replace(facts, account=account)


def waiting(facts: SmsLoginFacts) -> tuple[str, str]:
    """Return whose document is asked for, and the number that was proved; raise :class:`DraftUnknown` if none is."""
    if facts.account is None or facts.proved is None:
        raise DraftUnknown
    return facts.account, facts.proved


def one_try_less(facts: SmsLoginFacts) -> SmsLoginFacts:
    """Return the facts before the end of a document is compared; raise :class:`TailSpent` when no try is left."""
    if facts.tries_left < 1:
        raise TailSpent
    return replace(facts, tries_left=facts.tries_left - 1)


def one_try_more(facts: SmsLoginFacts) -> SmsLoginFacts:
    """Return the facts after it was right: a fault that comes later costs no try."""
    return replace(facts, tries_left=facts.tries_left + 1)


def is_tail(number: str, typed: str) -> bool:
    """Tell whether ``typed`` are the last characters of the document ``number``."""
    own = number[-TAIL:].upper().encode()
    return hmac.compare_digest(own, plain(typed).upper().encode("utf-8", "surrogatepass"))
