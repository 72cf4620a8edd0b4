"""What a relying party reads of somebody, from what they agreed to.

Owns the values behind the scopes. A value that the account does not have is left out, never sent empty (OpenID Connect
Core, section 5.3.2). Whose identity it is is told from L2 on alone: what a document said that has run out proves
nothing any more. Pure; called by userinfo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from bjidp.accounts.masks import mask_username
from bjidp.accounts.member_ports import Member
from bjidp.oidc.scopes import Claim, Scope, claims_of
from bjidp.organisations.organisation import Capacity
from bjidp.person import DocumentType, Person
from bjidp.standing import Level


class ActsFor(Struct, frozen=True):
    """The organisation somebody acts for at this moment."""

    credit_code: str
    name: str
    role: str
    powers: str
    """What their mandate covers: what that means to a service, the service knows."""

    @classmethod
    def by(cls, capacity: Capacity) -> ActsFor:
        """Return what is told of a capacity."""
        organisation = capacity.organisation
        return cls(organisation.credit_code, organisation.name, capacity.role.value, capacity.scope.value)


class Known(Struct, frozen=True):
    """What there is to tell of somebody."""

    member: Member
    subject: str
    """Whom the relying party knows them as."""
    organisation: ActsFor | None = None

    @property
    def document(self) -> Person | None:
        """The identity, while it is proved."""
        return self.member.document if self.member.standing.level >= Level.L2 else None

    def __repr__(self) -> str:
        return "Known(***)"


def told(known: Known, scopes: Iterable[Scope]) -> dict[str, object]:
    """Return the claims of the ``scopes`` that have a value."""
    values = {claim: _VALUES[claim](known) for claim in claims_of(scopes)}
    return {claim.value: value for claim, value in values.items() if value is not None}


def _nickname(known: Known) -> object:
    member = known.member
    # The document's name, masked, is how such an account is called; the document itself may not be told.
    return member.standing.name if member.standing.level >= Level.L2 else mask_username(member.username)


def _gender(known: Known) -> object:
    document = known.document
    sex = None if document is None else document.sex or known.member.sex
    return None if sex is None else sex.value


def _birthdate(known: Known) -> object:
    """Return the day that a resident card's number tells (GB 11643-1999), as ISO 8601 has it."""
    document = known.document
    if document is None or document.document_type is not DocumentType.RESIDENT_ID:
        return None
    digits = document.number[6:14]
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def _phone(known: Known) -> object:
    return None if known.member.phone is None else f"+86 {known.member.phone}"


def delegation(subject: str, organisation: ActsFor | None) -> dict[str, object]:
    """Return the claims of somebody who acts for an ``organisation``; none of somebody who acts for themselves.

    ``act`` names who acts, as in RFC 8693, section 4.1. It is who ``sub`` names too: a login is a person's, whoever it
    is for (ADR 0025).
    """
    if organisation is None:
        return {}
    told_of = {name: getattr(organisation, name) for name in organisation.__struct_fields__}
    return {Claim.ORGANISATION.value: told_of, Claim.ACT.value: {"sub": subject}}


def _delegated(claim: Claim) -> Callable[[Known], object]:
    return lambda known: delegation(known.subject, known.organisation).get(claim)


_VALUES: Final[dict[Claim, Callable[[Known], object]]] = {
    Claim.PREFERRED_USERNAME: lambda known: known.member.username,
    Claim.NICKNAME: _nickname,
    Claim.EMAIL: lambda known: known.member.mail,
    # An address or a number is an account's only once a code proved it.
    Claim.EMAIL_VERIFIED: lambda known: None if known.member.mail is None else True,
    Claim.PHONE_NUMBER: _phone,
    Claim.PHONE_NUMBER_VERIFIED: lambda known: None if known.member.phone is None else True,
    Claim.NAME: lambda known: None if known.document is None else known.document.name,
    Claim.GENDER: _gender,
    Claim.BIRTHDATE: _birthdate,
    Claim.DOCUMENT_TYPE: lambda known: None if known.document is None else known.document.document_type.value,
    Claim.DOCUMENT_NUMBER: lambda known: None if known.document is None else known.document.number,
    Claim.ORGANISATION: _delegated(Claim.ORGANISATION),
    Claim.ACT: _delegated(Claim.ACT),
}
