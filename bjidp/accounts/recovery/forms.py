"""The three forms of a recovery, and what is wrong with what was typed in one. Pure.

Owns what can be told without asking anybody; only :func:`is_document_of` knows an account.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts import fields
from bjidp.accounts.fields import Fault, Field
from bjidp.accounts.member_ports import Member
from bjidp.accounts.names import DocumentReadings
from bjidp.accounts.recovery.flow import Recovery
from bjidp.accounts.surface import Surface
from bjidp.errors import FieldFault
from bjidp.verification.number import MobileNumber, mobile_number


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
    named = fields.missing(Field.ACCOUNT, typed.name) if surface is Surface.PC else fields.phone_faults(typed.phone)
    return [*named, *fields.captcha_faults(typed.captcha)]


def proving_faults(facts: Recovery, typed: Proving, documents: DocumentReadings) -> list[FieldFault]:
    """Return what is wrong with the form of 验证身份 as far as it can be told without asking anybody."""
    faults: list[FieldFault] = []
    if facts.asks_document:
        faults += fields.missing(Field.DOCUMENT, typed.document)
        if not faults and not documents(typed.document):
            # A slip of the finger costs no try.
            faults.append(FieldFault(Field.DOCUMENT, Fault.FORM))
    if facts.asks_code:
        faults += fields.code_faults(typed.code)
    return faults


def is_document_of(member: Member, typed: str, documents: DocumentReadings) -> bool:
    """Tell whether ``typed`` is the number of the member's document, in any spelling of it."""
    held = member.document
    return held is not None and (held.document_type, held.number) in documents(typed)


def document_fault() -> FieldFault:
    """Return what is told when the number is not that of the account's document."""
    return FieldFault(Field.DOCUMENT, Fault.WRONG)
