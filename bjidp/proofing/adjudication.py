"""From what the registers answer to what we hold to be true (RNV-10).

Owns the one rule by which their answers become a verdict, and what a person is told of a no. Pure. Called by the
real-name and bank-card checks with every answer there is; an outage is an error and never comes here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from msgspec import Struct

from bjidp.person import DocumentType, Person
from bjidp.proofing.documents import check_digit_doubtful
from bjidp.proofing.names import has_rare_character
from bjidp.vendors.ports import Finding, Reason, RegisterAnswer


class Register(StrEnum):
    """Who was asked."""

    AUTHORITY = "authority"
    BANK = "bank"
    BUSINESS = "business_register"
    """Of organisations: it proves nobody, so no verdict comes of it here."""


class Advice(StrEnum):
    """What a person whose identity was not confirmed can do, also on the wire; words under ``identity.<advice>``."""

    CHECK_AGAIN = "check_again"
    """请核对后重新校验: a resident card is the person's own to read again."""
    ASK_ISSUER = "ask_issuer"
    """请联系发证部门: registers of permits and permanent-residence cards lag behind (2.3), and what is withheld or void
    its issuer alone can tell."""
    RENEW = "renew"
    """The document has run out."""
    ASK_BANK = "ask_bank"
    """The bank knows another name, number or phone, or no such card that can be used."""
    GO_OFFLINE = "go_offline"
    """建议暂时通过线下办理业务: registers may hold a rare character under a stand-in (2.4). Said beside another."""


class Proved(Struct, frozen=True):
    """Every register that was asked says yes. ``references`` are theirs, for the record."""

    references: Mapping[Register, str]


class Denied(Struct, frozen=True):
    """Somebody says no: who, what and why, for the record, and what the person is told."""

    register: Register
    answer: RegisterAnswer
    reason: Reason | None
    reference: str
    advice: tuple[Advice, ...]


Verdict: TypeAlias = Proved | Denied

_ORDER: Final = (Register.AUTHORITY, Register.BANK)


def adjudicate(person: Person, findings: Mapping[Register, Finding]) -> Verdict:
    """Decide. One no is a no, whatever the others say; the authority's is the one that is told.

    Raises :class:`ValueError` when nobody was asked: nothing is proved by silence.
    """
    if not findings:
        raise ValueError("no register was asked")
    for register in _ORDER:
        finding = findings.get(register)
        if finding is not None and finding.answer is not RegisterAnswer.MATCH:
            return Denied(
                register, finding.answer, finding.reason, finding.reference, _advice(person, register, finding)
            )
    return Proved({register: finding.reference for register, finding in findings.items()})


def _advice(person: Person, register: Register, finding: Finding) -> tuple[Advice, ...]:
    if register is Register.BANK:
        return (Advice.ASK_BANK,)
    if finding.answer is RegisterAnswer.EXPIRED:
        return (Advice.RENEW,)
    resident = person.document_type is DocumentType.RESIDENT_ID
    advice = [Advice.CHECK_AGAIN] if resident or check_digit_doubtful(person) else []
    # Who has read a card that is void or withheld rightly gets no further by reading it again.
    if not resident or finding.answer is RegisterAnswer.REFUSED:
        advice.append(Advice.ASK_ISSUER)
    if has_rare_character(person.name):
        advice.append(Advice.GO_OFFLINE)
    return tuple(advice)
