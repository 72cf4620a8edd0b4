"""What somebody states in 银行卡认证: a person, a card, and the number reserved at its bank (RNV-4).

Owns the form, and what is wrong with it before anybody outside is asked. Pure; called by
:mod:`bjidp.proofing.bank_card_proofs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from bjidp.accounts import fields
from bjidp.accounts.settings import flow as rules
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.person import DocumentType, Person
from bjidp.proofing.bank_cards import CARD_FIELD, BankCard, bank_card
from bjidp.proofing.documents import parse
from bjidp.proofing.faults import Unacceptable
from bjidp.proofing.ranges import CardRange, DocumentRange
from bjidp.verification.number import MobileNumber
from bjidp.verification.ranges import NumberRange

NOT_DEBIT: Final = "not_debit"
"""What a card is told that is none; words under ``fault.card_number.not_debit``."""


class Typed(Struct, frozen=True, kw_only=True):
    """The fields of 银行卡认证 as they were posted."""

    name: str = ""
    document_number: str = ""
    card_number: str = ""
    change: rules.Typed = rules.Typed()
    """The reserved number, its captcha and its code."""

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Typed(***)"


class Served(Struct, frozen=True):
    """Whose documents, cards and numbers this deployment knows."""

    documents: DocumentRange
    cards: CardRange
    numbers: NumberRange


class Stated(Struct, frozen=True):
    """The four factors, each of which could be somebody's."""

    person: Person
    card: BankCard
    number: MobileNumber

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Stated(***)"


def read(typed: Typed, kinds: Sequence[DocumentType], served: Served, today: date, *, code: bool) -> Stated:
    """Return what was stated; raise ``InvalidRequest`` that names each faulty field.

    The number of the document may be of any of ``kinds``; ``code`` tells whether the form asks for one, ``today`` is
    the civil date in Beijing.
    """
    faults: list[FieldFault] = []
    person = _person(typed, kinds, served, today, faults)
    card = _card(typed, served, faults)
    number = reserved_number(typed, faults)
    if code:
        faults += fields.code_faults(typed.change.code)
    if person is None or card is None or number is None or faults:
        raise InvalidRequest(*faults)
    served.numbers.admit(number)
    return Stated(person, card, number)


def reserved_number(typed: Typed, faults: list[FieldFault]) -> MobileNumber | None:
    """Return the reserved number; what is wrong with it is added to ``faults``."""
    faults += fields.phone_faults(typed.change.phone)
    return typed.change.number


def _person(
    typed: Typed, kinds: Sequence[DocumentType], served: Served, today: date, faults: list[FieldFault]
) -> Person | None:
    """Return who is stated, by the first of ``kinds`` that the number may be of; the first one's faults else."""
    found: list[FieldFault] = []
    for kind in kinds:
        try:
            person = parse(kind, typed.name, typed.document_number, today)
            served.documents.admit(person)
        except InvalidRequest as error:
            found = found or list(error.errors)
        else:
            return person
    faults += found
    return None


def _card(typed: Typed, served: Served, faults: list[FieldFault]) -> BankCard | None:
    try:
        card = bank_card(typed.card_number)
        served.cards.admit(card)
    except Unacceptable as error:
        faults.append(FieldFault(CARD_FIELD, error.fault))
        return None
    except InvalidRequest as error:
        faults += error.errors
        return None
    if not card.may_be_debit:
        faults.append(FieldFault(CARD_FIELD, NOT_DEBIT))
    return card
