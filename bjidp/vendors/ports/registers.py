"""Registers: who is who, whose a bank card is, who leads an organisation, who is a user of the national platform.

Most charge for each question. A ``reference`` is ours: 5 to 32 characters of ``[0-9A-Za-z]``, unique for ever. The same
question under the same reference is answered the same and charged once for two days at least, so a reference is written
down before it is used, and whoever crashed in between repeats it. Another question under it is refused, which is
``VendorUnavailable``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from bjidp.person import Person


class RegisterAnswer(StrEnum):
    """What a register says of the facts that it was asked about."""

    MATCH = "match"
    MISMATCH = "mismatch"
    """It knows the number, and other facts beside it."""
    UNKNOWN = "unknown"
    """It knows no such number."""
    EXPIRED = "expired"
    REFUSED = "refused"
    """The facts may be right; they prove nothing."""


class Reason(StrEnum):
    """Why a register does not say yes."""

    NAME = "name"
    DOCUMENT_NUMBER = "document_number"
    DOCUMENT_EXPIRED = "document_expired"
    DOCUMENT_WITHDRAWN = "document_withdrawn"
    DOCUMENT_UNSUPPORTED = "document_unsupported"
    """It checks no documents of this kind."""

    HOLDER = "holder"
    """The card is somebody else's."""
    PHONE = "phone"
    CARD_NUMBER = "card_number"
    CARD_NOT_DEBIT = "card_not_debit"
    """A credit card, or one that is paid in advance."""
    CARD_EXPIRED = "card_expired"
    CARD_LOST = "card_lost"
    CARD_SEIZED = "card_seized"
    CARD_INACTIVE = "card_inactive"
    """Not used yet, or not for long."""
    CARD_SUSPECT = "card_suspect"
    """Taken for forged."""
    CARD_RESTRICTED = "card_restricted"
    CARD_LOCKED = "card_locked"
    """Its password was wrong too often."""
    CARD_NOT_ENABLED = "card_not_enabled"
    """Its holder has not allowed it to be used without being there (无卡支付)."""
    CARD_UNSUPPORTED = "card_unsupported"
    """Its bank takes no part in such checks."""
    CARD_ABNORMAL = "card_abnormal"
    ISSUER_UNKNOWN = "issuer_unknown"
    TOO_MANY_TRIES = "too_many_tries"
    """For today."""

    ORGANISATION_NAME = "organisation_name"
    ORGANISATION_REVOKED = "organisation_revoked"
    """Its licence was taken from it (吊销)."""
    ORGANISATION_DEREGISTERED = "organisation_deregistered"
    """It has ended (注销)."""
    ORGANISATION_TERM_OVER = "organisation_term_over"
    REPRESENTATIVE = "representative"
    """Its 法定代表人 is somebody else."""

    OUTSIDE_RANGE = "outside_range"
    """It serves no such numbers."""
    OTHER = "other"
    """A word that is new to us."""


class Finding(Struct, frozen=True):
    """A register's answer, the reason of a no if it gave one, and its own reference for the record."""

    answer: RegisterAnswer
    reason: Reason | None
    reference: str


class Authority(Protocol):
    """The source that knows which name belongs to which number."""

    async def check(self, person: Person, *, reference: str) -> Finding:
        """Ask whether ``person`` exists as stated; raise ``VendorUnavailable``."""
        ...


class CardFacts(Struct, frozen=True):
    """The four factors: a person, the number of their card, and the phone number that its bank has for it."""

    person: Person
    card_number: str
    """In its normal form: 15 to 19 digits."""
    phone: str
    """A mainland mobile number in its normal form: eleven digits."""

    def __repr__(self) -> str:
        """Show that there are some: all of them are personal."""
        return "CardFacts(***)"


class Bank(Protocol):
    """The banks' common door: it knows whose a debit card is, and under which phone number."""

    async def check(self, facts: CardFacts, *, reference: str) -> Finding:
        """Ask whether the four belong together; raise ``VendorUnavailable``.

        A card of another kind is ``REFUSED`` as ``CARD_NOT_DEBIT``, whatever else is right.
        """
        ...


class OrganisationFacts(Struct, frozen=True):
    """An organisation, and the person who says that they are its 法定代表人."""

    credit_code: str
    """统一社会信用代码 in its normal form: 18 characters."""
    name: str
    representative: Person

    def __repr__(self) -> str:
        """Show which organisation it is about, which is public, and not who."""
        return f"OrganisationFacts({self.credit_code!r}, ***)"


class BusinessRegister(Protocol):
    """The register of organisations and of who may act for each."""

    async def check(self, facts: OrganisationFacts, *, reference: str) -> Finding:
        """Ask whether it exists under this name, is active, and is led by this person; raise ``VendorUnavailable``."""
        ...


class NationalAnswer(StrEnum):
    """What has become of a person at the national platform."""

    JOINED = "joined"
    """They are a user now, by this very call or an earlier one of the same reference."""
    KNOWN = "known"
    """They were one before."""
    REFUSED = "refused"
    """The platform will not have them: asking again would change nothing."""


class NationalRegister(Protocol):
    """国家政务服务平台, where a person whose identity is proved here is made a user."""

    async def register(self, person: Person, phone: str, *, reference: str) -> NationalAnswer:
        """Make the person a user, known by ``phone``; raise ``VendorUnavailable``, and it may have happened or not.

        ``reference`` is the caller's own: asked again with it, the platform answers as it did, and makes nobody twice.
        """
        ...
