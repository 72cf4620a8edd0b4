"""What somebody types to say which account is theirs (LOG-3, REC-1): 用户名/手机号/证件号, in one field. Pure.

Owns the reading: which identifiers the text may be, the one form it is counted under whichever way it was written, and
the mask that repeats it. Nothing here depends on whether an account has the name (attack R1). Called by the password
login and by recovery.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from bjidp.accounts import identifiers, masks
from bjidp.accounts.identifiers import Identifier, IdentifierKind
from bjidp.person import DocumentType
from bjidp.verification.number import mobile_number
from bjidp.verification.typed import FULL_WIDTH

TYPED_LONGEST: Final = 64
"""Characters that are read. No name is so long, so nothing longer is anybody's."""

DocumentReadings: TypeAlias = Callable[[str], Sequence[tuple[DocumentType, str]]]
"""Tells of which documents a text may be the number, and its normal form: the rules of documents are ``proofing``'s."""


class TypedName(Struct, frozen=True):
    """What a text may be, most telling first; there is always one reading, be it one that nobody has."""

    identifiers: tuple[Identifier, ...]
    shown: str
    """The text as it may be repeated to whoever typed it."""

    @property
    def kind(self) -> IdentifierKind:
        """What the text looks like."""
        return self.identifiers[0].kind

    @property
    def parts(self) -> tuple[str, ...]:
        """What a key is made of for a name that nobody has; the same for every way of writing it."""
        first = self.identifiers[0]
        return (first.kind, *first.value)

    def __repr__(self) -> str:
        """Show what it looks like alone: the text is personal."""
        return f"TypedName({self.kind}, ***)"


def read_name(typed: str, documents: DocumentReadings) -> TypedName:
    """Return what ``typed`` may be: a mobile number, the number of a document, a username.

    A username may have the form of a permit's number. The number goes first: it belongs to its holder for life, and
    nobody takes the login from them by choosing a name.
    """
    text = typed.strip().translate(FULL_WIDTH) if len(typed) <= TYPED_LONGEST else ""
    number = mobile_number(text)
    found = [] if number is None else [identifiers.of_phone(number.digits)]
    found += [identifiers.of_document_number(kind, kept) for kind, kept in documents(text)]
    found.append(_username(text))
    return TypedName(tuple(found), _shown(found[0], text))


def _username(text: str) -> Identifier:
    # No name has a backslash. Without the escapes casefold() would turn letters of other alphabets (ſ, K) into ASCII
    # ones, and half a surrogate pair could not be digested (attack Q27).
    return identifiers.of_username(text.encode("ascii", "backslashreplace").decode("ascii"))


def _shown(name: Identifier, text: str) -> str:
    match name.kind:
        case IdentifierKind.PHONE:
            return masks.mask_phone(name.value[-1])
        case IdentifierKind.DOCUMENT:
            return masks.mask_document(name.value[-1])
        case IdentifierKind.USERNAME:
            # No account's name; nor is there a reason to repeat an emoji, or a mark that turns the line around.
            printable = text.isascii() and text.isprintable()
            return masks.mask_username(text if printable else "")
        case _:
            raise AssertionError("nobody types what a provider calls them")
