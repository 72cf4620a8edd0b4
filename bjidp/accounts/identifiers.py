"""What may belong to one account at a time (REG-8), in the normal form that is compared. Pure.

Owns the kinds of identifier and their spelling; ``storage.sql`` turns them into keyed digests and lets the
database's uniqueness decide.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from bjidp.person import DocumentType, Person
from bjidp.platforms import ExternalIdentity, Provider


class IdentifierKind(StrEnum):
    """The kinds of identifier; each has an index key of its own."""

    USERNAME = "username"
    PHONE = "phone"
    DOCUMENT = "document"
    NATIONAL = "external.national"
    """What an account logs in by elsewhere: one for each provider."""
    ALIPAY = "external.alipay"
    WECHAT = "external.wechat"
    BAIDU = "external.baidu"


class Identifier(Struct, frozen=True):
    """One identifier in its normal form."""

    kind: IdentifierKind
    value: tuple[str, ...]

    def __repr__(self) -> str:
        """Show the kind alone: the value is personal."""
        return f"Identifier({self.kind}, ***)"


def of_username(username: str) -> Identifier:
    """Compare usernames without regard to case: nobody may be taken for somebody else by a capital letter."""
    return Identifier(IdentifierKind.USERNAME, (username.casefold(),))


def of_phone(number: str) -> Identifier:
    """Compare phone numbers as they are, in their normal form."""
    return Identifier(IdentifierKind.PHONE, (number,))


def of_document(person: Person) -> Identifier:
    """Compare identity documents by type and number; the name is not part of who holds one."""
    return of_document_number(person.document_type, person.number)


def of_document_number(document_type: DocumentType, number: str) -> Identifier:
    """Return the same, of a number in its normal form whose holder's name is not at hand."""
    return Identifier(IdentifierKind.DOCUMENT, (document_type, number))


def of_external(identity: ExternalIdentity) -> Identifier:
    """Compare a provider's names for its users with the app and the kind that they are of (attack T9)."""
    return Identifier(kind_of(identity.provider), (identity.app_id, identity.kind, identity.value))


def kind_of(provider: Provider) -> IdentifierKind:
    """Return the kind of what an account logs in by at ``provider``."""
    return IdentifierKind(f"external.{provider}")
