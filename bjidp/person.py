"""Who somebody says they are: a name and a number on an identity document.

Owns the nouns below the features, since the vendors' ports, features and stores all speak of them. What makes a
number a valid one is the business of ``proofing``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

_SEX_DIGIT: Final = 16


class DocumentType(StrEnum):
    """The identity documents a person may prove themselves with."""

    RESIDENT_ID = "resident_id"
    HK_PERMIT = "hk_permit"
    MACAO_PERMIT = "macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    PERMANENT_RESIDENT = "permanent_resident"


class Sex(StrEnum):
    """What a number, or its holder, says of the holder's sex."""

    MALE = "male"
    FEMALE = "female"


class Person(Struct, frozen=True):
    """Who somebody says they are. ``name`` is kept exactly as written; ``number`` is in its normal form."""

    document_type: DocumentType
    name: str
    number: str

    @property
    def sex(self) -> Sex | None:
        """The sex that a resident id tells by its seventeenth digit (GB 11643-1999); None for every other number.

        No published rule says that the sequence of a permanent residence card tells it too.
        """
        if self.document_type is not DocumentType.RESIDENT_ID:
            return None
        return Sex.MALE if int(self.number[_SEX_DIGIT]) % 2 else Sex.FEMALE

    def __repr__(self) -> str:
        """Show the kind of document alone: names and numbers never reach a log or a traceback."""
        return f"Person({self.document_type}, ***)"
