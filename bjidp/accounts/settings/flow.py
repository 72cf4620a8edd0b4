"""Changing something of one's account: the facts of one change, the step they lead to, what is wrong with a form. Pure.

Owns which fields the forms have and what each fault is called. No step is stored: whether somebody has proved who they
are is asked of the proof itself, so that neither a link nor the back button leads past 验证身份.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts import fields
from bjidp.accounts.fields import Fault, Field
from bjidp.accounts.ports import Evidence
from bjidp.clock import MINUTE, SECOND, Instant, Millis
from bjidp.errors import FieldFault
from bjidp.verification.mail_address import MailAddress, mail_address
from bjidp.verification.number import MobileNumber, mobile_number
from bjidp.verification.proofs import Operation

SAVING: Final[Millis] = 10 * SECOND
"""How long a change is believed to be under way: a process that is at it longer has died with it."""

OPEN: Final[Millis] = 10 * MINUTE
"""How long a page whose step is done on a phone can be shown again: the proof went with its first showing."""


OF_ONE: Final = frozenset({Operation.LINK, Operation.UNLINK})
"""Changes of one thing among several, which is chosen before 验证身份: without it there is nothing to be proved for."""


class Step(StrEnum):
    """The steps of a change."""

    NOTICE = "notice"
    """What the end of the account means is read and agreed to."""
    VERIFY = "verify"
    CHANGE = "change"
    SAVING = "saving"
    """Another post of the same form is writing at this moment."""
    DONE = "done"


class Typed(Struct, frozen=True, kw_only=True):
    """A posted form; a field that the form does not have is empty."""

    captcha: str = ""
    captcha_id: str = ""
    """Which picture was shown."""
    code: str = ""
    old: str = ""
    password: str = ""
    again: str = ""
    phone: str = ""
    mail: str = ""
    username: str = ""

    @property
    def number(self) -> MobileNumber | None:
        """The mobile number, if it is one."""
        return mobile_number(self.phone)

    @property
    def address(self) -> MailAddress | None:
        """The mail address, if it is one."""
        return mail_address(self.mail)

    @property
    def name(self) -> str:
        """The username, without the blanks that come along when it is pasted."""
        return self.username.strip()

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Typed(***)"


class Sent(Struct, frozen=True, kw_only=True):
    """A code on its way."""

    to: str
    """Where it was sent, in the normal form of its channel."""
    dispatch: str
    """By which the page asks what became of it."""
    again_at: Instant
    """When the next one may be asked for."""

    def __repr__(self) -> str:
        """Leave the address out: it is personal."""
        return f"Sent({self.dispatch!r}, ***)"


class Opened(Struct, frozen=True, kw_only=True):
    """A page whose step is done on a phone was opened, and can be shown for a while."""

    until: Instant
    epoch: int
    """The account's: once it is over the page is too (ADR 0015)."""
    mark: str
    """Of what the step is about, as it was then."""
    reference: str = ""
    """Ours, of the proof that counted for it then; a process of the release before has noted none."""

    def is_open(self, now: Instant, epoch: int) -> bool:
        """Tell whether it can be shown."""
        return now < self.until and epoch == self.epoch


class Change(Struct, frozen=True, kw_only=True):
    """One change, as far as it has come."""

    operation: Operation
    about: str = ""
    """What of several it changes, for :data:`OF_ONE`; no later form says it anew."""
    identity_code: Sent | None = None
    """The code of 验证身份."""
    identity_proved: bool = False
    """It was proved in this change; whether that still counts, the proof itself tells."""
    address_code: Sent | None = None
    """The code to a new number or mail address."""
    address: str | None = None
    """The new number or mail address whose code was right: no later fault costs a second code."""
    saving_until: Instant = 0
    failed: str = ""
    """The code of what kept it from being written once its proof was used up, until that is proved anew."""
    done: bool = False
    opened: Opened | None = None
    """The proof was used up by the page that a phone goes on from."""
    held_by: tuple[Evidence, ...] | None = None
    """The identity stays another account's, and these proofs bring it here; none, when only people decide (RNV-7)."""

    def __repr__(self) -> str:
        """Show how far it is alone: the rest is personal."""
        return f"Change({self.operation}, done={self.done})"


def next_step(operation: Operation, facts: Change | None, *, proved: bool, now: Instant) -> Step:
    """Return the step that is due, whatever page was asked for; ``proved`` tells whether there is a live proof."""
    if facts is not None and facts.done:
        return Step.DONE
    if facts is not None and now < facts.saving_until:
        return Step.SAVING
    if facts is None and operation is Operation.CANCEL:
        return Step.NOTICE
    return Step.CHANGE if proved else Step.VERIFY


def address_asked(facts: Change, sent: Sent) -> Change:
    """Return the facts after a code was sent to a new address; another one that was proved before is so no more."""
    return replace(facts, address_code=sent, address=None)


def address_proved(facts: Change, address: str) -> Change:
    """Return the facts after the code for ``address`` was right."""
    return replace(facts, address=address)


def without_address(facts: Change) -> Change:
    """Return the facts after another address is to be typed; no code of this change serves for the one before."""
    return replace(facts, address_code=None, address=None)


def password_faults(typed: Typed, names: Iterable[str | None], *, has_one: bool) -> list[FieldFault]:
    """Return everything that is wrong with a new password of the account with ``names``.

    ``has_one`` tells whether there is an old one to name.
    """
    faults = [FieldFault(Field.OLD, Fault.MISSING)] if has_one and not typed.old else []
    found = fields.password_faults(typed.password, typed.again, names)
    if has_one and typed.old == typed.password and Field.PASSWORD not in {fault.field for fault in found}:
        found = [FieldFault(Field.PASSWORD, Fault.SAME)]
    return [*faults, *found]


def phone_faults(typed: Typed, former: str | None) -> list[FieldFault]:
    """Return what keeps a number from being a new one."""
    if typed.number is not None and typed.number.digits == former:
        return [FieldFault(Field.PHONE, Fault.SAME)]
    return fields.phone_faults(typed.phone)


def mail_faults(typed: Typed, former: str | None) -> list[FieldFault]:
    """Return what keeps an address from being a new one."""
    address = typed.address
    if address is not None:
        return [FieldFault(Field.MAIL, Fault.SAME)] if address.text == former else []
    return fields.missing(Field.MAIL, typed.mail) or [FieldFault(Field.MAIL, Fault.FORM)]


def username_faults(typed: Typed, former: str) -> list[FieldFault]:
    """Return what keeps a username from being a new one, apart from its being another's."""
    found = fields.username_faults(typed.name)
    return [FieldFault(Field.USERNAME, Fault.SAME)] if not found and typed.name == former else found
