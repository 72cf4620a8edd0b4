"""The synthetic persons, and what is asked about them.

Called by the cameras of the three platforms, the authority, the bank, the business register and the control calls.
Nobody here exists, and no number can belong to anybody who does.
"""

from __future__ import annotations

from enum import Enum, auto

from bjidp.sandbox.people.numbers import DocumentType, is_synthetic_document
from bjidp.sandbox.people.person import Person, PublicPerson, Story
from bjidp.sandbox.people.population import population

__all__ = ["DocumentType", "Likeness", "People", "Person", "PublicPerson", "Story", "is_synthetic_document"]


class Likeness(Enum):
    """What a camera finds when a willing person looks into it for a name and a number."""

    SAME = auto()
    FACE_DIFFERS = auto()
    """The number and the name are somebody's, the face is not theirs."""
    NAME_DIFFERS = auto()
    """The number is somebody's with another name."""
    NOBODY = auto()


class People:
    """Looks people up."""

    def __init__(self) -> None:
        """Know the whole population."""
        self._by_id = population()
        self._by_number = {(p.document_type, p.document_number): p for p in self._by_id.values()}
        self._by_card = {card: p for p in self._by_id.values() for card in p.cards}

    def all(self) -> list[Person]:
        """Return everybody in the order they are listed."""
        return list(self._by_id.values())

    def find(self, person_id: str) -> Person | None:
        """Return the person of this id, or None."""
        return self._by_id.get(person_id)

    def holder(self, document_type: DocumentType, number: str) -> Person | None:
        """Return who carries the document with this number, or None."""
        return self._by_number.get((document_type, number))

    def card_holder(self, number: str) -> Person | None:
        """Return whose card this is, or None."""
        return self._by_card.get(number)

    def likeness(self, document_type: DocumentType, name: str, number: str) -> Likeness:
        """Say how a camera's picture compares for this name and number; names are compared code point by code point."""
        person = self.holder(document_type, number)
        if person is None:
            return Likeness.NOBODY
        if person.name != name:
            return Likeness.NAME_DIFFERS
        return Likeness.SAME if person.face_matches else Likeness.FACE_DIFFERS
