"""Which numbers this deployment serves: real ones or the sandbox's, never both.

What could be a real person's number, or a real organisation's, is refused beside the sandbox; what could not is refused
in production. So no real number ever reaches a stand-in, and no synthetic person ever holds a real account. Pure;
``bootstrap`` chooses.
"""

from __future__ import annotations

from enum import StrEnum

from bjidp.errors import FieldFault, InvalidRequest
from bjidp.person import DocumentType, Person
from bjidp.proofing.bank_cards import CARD_FIELD, BankCard
from bjidp.proofing.card_bins import SYNTHETIC as SYNTHETIC_CARDS
from bjidp.proofing.credit_codes import CREDIT_CODE_FIELD, SYNTHETIC_REGION, CreditCode
from bjidp.proofing.documents import NUMBER_FIELD, SYNTHETIC_ACCEPTING_PLACE, SYNTHETIC_PROVINCE
from bjidp.proofing.faults import Fault

_SYNTHETIC_STARTS = {
    DocumentType.RESIDENT_ID: (SYNTHETIC_PROVINCE,),
    # XXA to XXZ: codes that ISO 3166-1 leaves to its users, which no country has.
    DocumentType.PERMANENT_RESIDENT: (f"9{SYNTHETIC_ACCEPTING_PLACE}", "XX"),
    DocumentType.HK_PERMIT: ("H9999",),
    DocumentType.MACAO_PERMIT: ("M9999",),
    DocumentType.TAIWAN_PERMIT: ("9999",),
}


def is_synthetic(person: Person) -> bool:
    """Tell whether the number is one of the sandbox's (wire.md 5), which no real person bears."""
    return person.number.startswith(_SYNTHETIC_STARTS[person.document_type])


class DocumentRange(StrEnum):
    """The numbers a deployment serves."""

    REAL = "real"
    SYNTHETIC = "synthetic"

    def admit(self, person: Person) -> None:
        """Raise :class:`InvalidRequest` for ``document_number`` when the number is not served here."""
        if is_synthetic(person) != (self is DocumentRange.SYNTHETIC):
            raise InvalidRequest(FieldFault(NUMBER_FIELD, Fault.NOT_SERVED))


def is_synthetic_card(card: BankCard) -> bool:
    """Tell whether the card is one of the sandbox's, which no bank issues."""
    return card.digits.startswith(tuple(SYNTHETIC_CARDS))


class CardRange(StrEnum):
    """The bank cards a deployment serves."""

    REAL = "real"
    SYNTHETIC = "synthetic"

    def admit(self, card: BankCard, field: str = CARD_FIELD) -> None:
        """Raise :class:`InvalidRequest` for ``field`` when the card is not served here."""
        if is_synthetic_card(card) != (self is CardRange.SYNTHETIC):
            raise InvalidRequest(FieldFault(field, Fault.NOT_SERVED))


def is_synthetic_organisation(code: CreditCode) -> bool:
    """Tell whether the organisation is one of the sandbox's, which does not exist."""
    return code.region == SYNTHETIC_REGION


class OrganisationRange(StrEnum):
    """The organisations a deployment serves."""

    REAL = "real"
    SYNTHETIC = "synthetic"

    def admit(self, code: CreditCode, field: str = CREDIT_CODE_FIELD) -> None:
        """Raise :class:`InvalidRequest` for ``field`` when the organisation is not served here."""
        if is_synthetic_organisation(code) != (self is OrganisationRange.SYNTHETIC):
            raise InvalidRequest(FieldFault(field, Fault.NOT_SERVED))
