"""The three forms of a recovery, and what is wrong with what was typed in one. Pure.

Owns what can be told without asking anybody; only :func:`is_document_of` knows an account.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from bjidp.accounts.names import DocumentReadings
from bjidp.accounts.password import password_fault
from bjidp.accounts.ports import Member
from bjidp.accounts.recovery.flow import Recovery
from bjidp.accounts.surface import Surface
from bjidp.errors import FieldFault
from bjidp.verification.code import as_typed
from bjidp.verification.number import MobileNumber, mobile_number


class Field(StrEnum):
    """The fields, as they are called in a posted form."""

    NAME = "account"
    PHONE = "phone"
    DOCUMENT = "document"
    CAPTCHA = "captcha"
    CODE = "code"
    PASSWORD = "password"
    AGAIN = "again"


class Fault(StrEnum):
    """What a field may be told; words under ``fault.<field>.<fault>``."""

    MISSING = "missing"
    FORM = "form"
    WRONG = "wrong"
    LENGTH = "length"
    CHARACTER = "character"
    KINDS = "kinds"
    MISMATCH = "mismatch"


class Naming(Struct, frozen=True, kw_only=True):
    """The first form."""

    name: str = ""
    """On a computer."""
    phone: str = ""
    """On a phone."""
    captcha: str = ""
    captcha_id: str = ""

    @property
    def number(self) -> MobileNumber | None:
        """The mobile number, if it is one."""
        return mobile_number(self.phone)

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Naming(***)"


class Proving(Struct, frozen=True, kw_only=True):
    """The form of 验证身份."""

    document: str = ""
    captcha: str = ""
    captcha_id: str = ""
    code: str = ""

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Proving(***)"


class Choosing(Struct, frozen=True, kw_only=True):
    """The form of the new password."""

    password: str = ""
    again: str = ""

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Choosing(***)"


def naming_faults(surface: Surface, typed: Naming) -> list[FieldFault]:
    """Return what is wrong with the first form. On a computer no name is too odd to be looked for (attack R1)."""
    faults: list[FieldFault] = []
    if surface is Surface.PC:
        if not typed.name.strip():
            faults.append(_fault(Field.NAME, Fault.MISSING))
    elif not typed.phone.strip():
        faults.append(_fault(Field.PHONE, Fault.MISSING))
    elif typed.number is None:
        faults.append(_fault(Field.PHONE, Fault.FORM))
    return faults + captcha_faults(typed.captcha)


def captcha_faults(captcha: str) -> list[FieldFault]:
    """Return what keeps a captcha from being tried."""
    return [] if captcha.strip() else [_fault(Field.CAPTCHA, Fault.MISSING)]


def proving_faults(facts: Recovery, typed: Proving, documents: DocumentReadings) -> list[FieldFault]:
    """Return what is wrong with the form of 验证身份 as far as it can be told without asking anybody."""
    faults: list[FieldFault] = []
    if facts.asks_document:
        if not typed.document.strip():
            faults.append(_fault(Field.DOCUMENT, Fault.MISSING))
        elif not documents(typed.document):
            # A slip of the finger costs no try.
            faults.append(_fault(Field.DOCUMENT, Fault.FORM))
    if facts.asks_code:
        if not typed.code.strip():
            faults.append(_fault(Field.CODE, Fault.MISSING))
        elif not as_typed(typed.code):
            faults.append(_fault(Field.CODE, Fault.FORM))
    return faults


def is_document_of(member: Member, typed: str, documents: DocumentReadings) -> bool:
    """Tell whether ``typed`` is the number of the member's document, in any spelling of it."""
    held = member.document
    return held is not None and (held.document_type, held.number) in documents(typed)


def choosing_faults(typed: Choosing) -> list[FieldFault]:
    """Return what is wrong with the new password (REG-1), which is typed twice."""
    if not typed.password:
        return [_fault(Field.PASSWORD, Fault.MISSING)]
    found = password_fault(typed.password)
    if found is not None:
        return [_fault(Field.PASSWORD, Fault(found))]
    if not typed.again:
        return [_fault(Field.AGAIN, Fault.MISSING)]
    return [] if typed.again == typed.password else [_fault(Field.AGAIN, Fault.MISMATCH)]


def document_fault() -> FieldFault:
    """Return what is told when the number is not that of the account's document."""
    return _fault(Field.DOCUMENT, Fault.WRONG)


def _fault(field: Field, fault: Fault) -> FieldFault:
    return FieldFault(field, fault)
