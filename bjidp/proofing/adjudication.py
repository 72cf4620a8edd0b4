"""From what the registers answer to what we hold to be true (RNV-10).

Owns what is a yes, and what a person is told of a no. Pure. Called with the authority's answer by every proof of a name
and a number, and then with the bank's; an outage is an error and never comes here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from bjidp.person import DocumentType, Person
from bjidp.proofing.documents import check_digit_doubtful
from bjidp.proofing.names import has_rare_character
from bjidp.vendors.ports.registers import Finding, Reason, RegisterAnswer


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
    """The register says yes, under a ``reference`` of its own."""

    reference: str


class Denied(Struct, frozen=True):
    """The register says no: why, as far as it tells, and what the person is told."""

    reason: Reason | None
    advice: tuple[Advice, ...]


Verdict: TypeAlias = Proved | Denied


def by_authority(person: Person, finding: Finding) -> Verdict:
    """Decide whether there is such a person."""
    if finding.answer is RegisterAnswer.MATCH:
        return Proved(finding.reference)
    return Denied(finding.reason, _advice(person, finding.answer))


def by_bank(finding: Finding) -> Verdict:
    """Decide whether a card is of the person whom the authority has confirmed before."""
    if finding.answer is RegisterAnswer.MATCH:
        return Proved(finding.reference)
    return Denied(finding.reason, (Advice.ASK_BANK,))


def _advice(person: Person, answer: RegisterAnswer) -> tuple[Advice, ...]:
    if answer is RegisterAnswer.EXPIRED:
        return (Advice.RENEW,)
    resident = person.document_type is DocumentType.RESIDENT_ID
    advice = [Advice.CHECK_AGAIN] if resident or check_digit_doubtful(person) else []
    # Who has read a card that is void or withheld rightly gets no further by reading it again.
    if not resident or answer is RegisterAnswer.REFUSED:
        advice.append(Advice.ASK_ISSUER)
    if has_rare_character(person.name):
        advice.append(Advice.GO_OFFLINE)
    return tuple(advice)
