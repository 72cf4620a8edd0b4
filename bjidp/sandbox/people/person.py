"""A synthetic person: what is printed on the document, and what the registers know.

The outcome of a story is never switched on by its name: the authority compares what it is asked with
``registered_name``, ``valid_to`` and ``withdrawn``, the bank looks at ``bank_phone``, ``cards_lost`` and
``cards_valid_to``, the cameras at ``face_matches``, WeChat's login at ``intercepted``.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from msgspec import Struct

from bjidp.sandbox.people.numbers import DocumentType


class Story(StrEnum):
    """Why a person is in the list: the one thing about them that is not ordinary."""

    ORDINARY = "ordinary"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    DOCUMENT_WITHDRAWN = "document_withdrawn"
    FACE_FAILS = "face_fails"
    BANK_PHONE_DIFFERS = "bank_phone_differs"
    BANK_CARD_LOST = "bank_card_lost"
    BANK_CARD_EXPIRED = "bank_card_expired"
    RARE_CHARACTER = "rare_character"
    COMPATIBILITY_CHARACTER = "compatibility_character"
    DOTTED_NAME = "dotted_name"
    LONG_NAME = "long_name"
    LATIN_NAME = "latin_name"
    OLD_FORM_CARD = "old_form_card"
    MINOR = "minor"
    HIGH_RISK = "high_risk"


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who does not exist."""

    id: str
    name: str
    document_type: DocumentType
    document_number: str
    valid_from: date
    valid_to: date | None
    """The last day on which the document counts; None is 长期."""
    gender: str
    phone: str
    cards: tuple[str, ...] = ()
    """A debit card and a credit card."""
    story: Story = Story.ORDINARY

    registered_name: str | None
    """The name the authority has under this number; None when it has no such number."""
    withdrawn: bool = False
    """The document was reported lost and is void."""
    face_matches: bool = True
    """Whether the face before the camera is the one in the register's picture."""
    intercepted: bool = False
    """Whether WeChat takes this user's logins for a stranger's."""
    bank_phone: str
    """The phone number the bank has for the cards."""
    cards_lost: bool = False
    """The cards were reported lost."""
    cards_valid_to: date | None = None
    """The last day on which the cards count; None is for ever."""


class PublicPerson(Struct, frozen=True):
    """What ``GET /control/people`` tells of a person: what they could tell of themselves, and their story."""

    id: str
    name: str
    document_type: DocumentType
    document_number: str
    valid_from: date
    valid_to: date | None
    gender: str
    phone: str
    cards: tuple[str, ...]
    story: Story

    @classmethod
    def of(cls, person: Person) -> PublicPerson:
        """Leave out what only the registers know."""
        return cls(
            id=person.id,
            name=person.name,
            document_type=person.document_type,
            document_number=person.document_number,
            valid_from=person.valid_from,
            valid_to=person.valid_to,
            gender=person.gender,
            phone=person.phone,
            cards=person.cards,
            story=person.story,
        )
