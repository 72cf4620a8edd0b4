"""What somebody states of themselves on a page: the fields of 实名认证, and their faults (REG-4, REG-5, RNV-2).

Owns which fields each form has. Pure; called by the real-name services. 实名认证 in a registration on the PC asks for a
name and a resident card's number alone, as the manual's form does.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from bjidp.errors import FieldFault, InvalidRequest
from bjidp.person import DocumentType, Person, Sex
from bjidp.proofing.documents import birth_date, parse
from bjidp.proofing.ranges import DocumentRange
from bjidp.proofing.terms import UNSTATED, Term
from bjidp.proofing.validity import TypedDates, Validity, read_validity


class Fault(StrEnum):
    """What the two choices may be told; words under ``fault.<field>.<fault>``."""

    UNKNOWN = "unknown"
    MISSING = "missing"


_SEXES: Final = MappingProxyType({sex.value: sex for sex in Sex})


class Typed(Struct, frozen=True, kw_only=True):
    """A posted form; a field that the form does not have is empty."""

    document_type: str = DocumentType.RESIDENT_ID
    name: str = ""
    document_number: str = ""
    sex: str = ""
    valid_from: str = ""
    valid_to: str = ""
    for_life: bool = False

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Typed(***)"


class Stated(Struct, frozen=True):
    """A person who could exist, and the dates of their document where they were asked for."""

    person: Person
    validity: Validity | None
    sex: Sex | None
    """None where the number tells it, and where it was not asked for."""

    @property
    def term(self) -> Term:
        """Until when their document is valid."""
        return UNSTATED if self.validity is None else self.validity.term

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Stated(***)"


def read(typed: Typed, *, whole: bool, served: DocumentRange, today: date) -> Stated:
    """Return what was stated; raise ``InvalidRequest`` that names each faulty field.

    ``whole`` tells whether the form asks for dates, and for the sex where the number does not tell it. ``today`` is the
    civil date in Beijing; ``served`` says whose numbers this deployment knows.
    """
    try:
        # The short form is for resident cards: it asks for nothing that other documents need.
        kind = DocumentType(typed.document_type) if whole else DocumentType.RESIDENT_ID
    except ValueError:
        raise InvalidRequest(FieldFault("document_type", Fault.UNKNOWN)) from None
    faults: list[FieldFault] = []
    person: Person | None = None
    try:
        person = parse(kind, typed.name, typed.document_number, today)
        served.admit(person)
    except InvalidRequest as error:
        faults += error.errors
    validity, sex = None, None
    if whole:
        born = None if person is None else birth_date(person, today)
        found = read_validity(kind, TypedDates(typed.valid_from, typed.valid_to, typed.for_life), today, born)
        if isinstance(found, Validity):
            validity = found
        else:
            faults += found
        if kind is not DocumentType.RESIDENT_ID:
            sex = _SEXES.get(typed.sex)
            if sex is None:
                faults.append(FieldFault("sex", Fault.MISSING))
    if faults or person is None:
        raise InvalidRequest(*faults)
    return Stated(person, validity, sex)
