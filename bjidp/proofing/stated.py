"""What somebody states of themselves on a page: the fields of 实名认证, and their faults (REG-4, REG-5, RNV-2).

Owns which fields each form has. Pure; called by the real-name services. The dates are not asked for where the manual's
form has none, which is 实名认证 in a registration on the PC.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from msgspec import Struct

from bjidp.errors import FieldFault, InvalidRequest
from bjidp.person import DocumentType, Person
from bjidp.proofing.documents import parse
from bjidp.proofing.ranges import DocumentRange
from bjidp.proofing.validity import TypedDates, Validity, read_validity


class Fault(StrEnum):
    """What the kind of document may be told; words under ``fault.document_type.<fault>``."""

    UNKNOWN = "unknown"


class Typed(Struct, frozen=True, kw_only=True):
    """A posted form; a field that the form does not have is empty."""

    document_type: str = DocumentType.RESIDENT_ID
    name: str = ""
    document_number: str = ""
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

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Stated(***)"


def read(typed: Typed, *, dates: bool, served: DocumentRange, today: date) -> Stated:
    """Return what was stated; raise ``InvalidRequest`` that names each faulty field.

    ``today`` is the civil date in Beijing; ``served`` says whose numbers this deployment knows.
    """
    try:
        kind = DocumentType(typed.document_type)
    except ValueError:
        raise InvalidRequest(FieldFault("document_type", Fault.UNKNOWN)) from None
    faults: list[FieldFault] = []
    person: Person | None = None
    try:
        person = parse(kind, typed.name, typed.document_number, today)
        served.admit(person)
    except InvalidRequest as error:
        faults += error.errors
    validity: Validity | None = None
    if dates:
        found = read_validity(kind, TypedDates(typed.valid_from, typed.valid_to, typed.for_life), today)
        if isinstance(found, Validity):
            validity = found
        else:
            faults += found
    if faults or person is None:
        raise InvalidRequest(*faults)
    return Stated(person, validity)
