"""The audit event: what is written down, and what can not be. Pure.

Owns the closed list of kinds and the rule that an event carries references and code words only. Stores write an
event in the transaction it records; a sealer links committed rows later, so logins do not wait in one line.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bjidp.clock import Instant

CODE: Final = r"[A-Za-z0-9_.:+/=-]{1,80}"
"""A reference or a code word. Whoever takes references from outside holds them to this, or they would be lost here."""

_CODE: Final = re.compile(CODE)


class EventKind(StrEnum):
    """Everything that is audited."""

    ACCOUNT_REGISTERED = "account.registered"
    ACCOUNT_RECOVERED = "account.recovered"
    ACCOUNT_CANCELLED = "account.cancelled"
    ACCOUNT_MERGED = "account.merged"
    ACCOUNT_LOOKED_UP = "account.looked_up"
    ACCOUNT_LOCKED = "account.locked"
    ACCOUNT_UNLOCKED = "account.unlocked"
    PASSWORD_CHANGED = "password.changed"
    PASSWORD_RESET = "password.reset"
    PHONE_CHANGED = "phone.changed"
    MAIL_CHANGED = "mail.changed"
    USERNAME_CHANGED = "username.changed"
    ETHNICITY_CHANGED = "ethnicity.changed"
    LOGIN_FAILED = "login.failed"
    FACE_RENEWED = "face.renewed"
    IDENTITY_PROVED = "identity.proved"
    IDENTITY_EXCHANGED = "identity.exchanged"
    IDENTITY_UNBOUND = "identity.unbound"
    IDENTITY_WORN = "identity.worn"
    IDENTITY_LOST = "identity.lost"
    IDENTITY_TAKEN = "identity.taken"
    NATIONAL_WISHED = "national.wished"
    NATIONAL_JOINED = "national.joined"
    NATIONAL_KNOWN = "national.known"
    NATIONAL_REFUSED = "national.refused"
    ORGANISATION_REGISTERED = "organisation.registered"
    ORGANISATION_LOST = "organisation.lost"
    MANDATE_OFFERED = "mandate.offered"
    MANDATE_ACCEPTED = "mandate.accepted"
    MANDATE_ENDED = "mandate.ended"
    ACTING_BEGUN = "acting.begun"
    ACTING_ENDED = "acting.ended"
    APPEAL_FILED = "appeal.filed"
    APPEAL_WITHDRAWN = "appeal.withdrawn"
    APPEALS_LISTED = "appeals.listed"
    APPEAL_READ = "appeal.read"
    APPEAL_PICTURE_READ = "appeal.picture_read"
    APPEAL_GRANTED = "appeal.granted"
    APPEAL_REFUSED = "appeal.refused"
    CLIENT_ADDED = "client.added"
    CLIENT_REMOVED = "client.removed"
    CONSENT_GIVEN = "consent.given"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    GRANT_BEGUN = "grant.begun"
    GRANT_ENDED = "grant.ended"
    LOGOUT_TOLD = "logout.told"
    LOGOUT_NOT_TOLD = "logout.not_told"
    EXTERNAL_LINKED = "external.linked"
    EXTERNAL_UNLINKED = "external.unlinked"
    LINK_REPLACED = "link.replaced"
    LOGIN_BROWSER = "login.browser"
    LOGIN_DEVICE = "login.device"
    """A device was given a grant, on a phone's word or a page's."""
    LOGIN_MINI = "login.mini"
    LOGIN_REJECTED = "login.rejected"
    LOGIN_REPORTED = "login.reported"
    SESSION_ENDED = "session.ended"
    MINI_SESSION_ENDED = "mini_session.ended"


class Fact(StrEnum):
    """The names of what an event may say besides its references."""

    WAY = "way"
    PLATFORM = "platform"
    PROVIDER = "provider"
    """By whose users' login an account may be logged in to, where that is no login."""
    BROWSER = "browser"
    OS = "os"
    REASON = "reason"
    LINK = "link"
    DOCUMENT_TYPE = "document_type"
    EVIDENCE = "evidence"
    EVIDENCE_REFERENCE = "evidence_reference"
    AUTHORITY_REFERENCE = "authority_reference"
    ORGANISATION = "organisation"
    """Our own id of it."""
    MANDATE = "mandate"
    SCOPE = "scope"
    ACTION = "action"
    """What a phone was asked to confirm, where that was no login."""
    REFERENCE = "reference"
    """Ours, by which an outside service knows what we have handed on."""
    APPEAL = "appeal"
    PICTURE = "picture"
    """The number of one of an appeal's."""
    CLIENT = "client"
    """The relying party's id."""
    GRANT = "grant"
    STAFF = "staff"
    """Who of the staff it was."""


class AuditEvent(Struct, frozen=True):
    """One event. ``account_ref`` is the account's random reference, never its id; the others are references too.

    A fact's value that is not a short ASCII word is kept as ``other``: a name, an address or a sentence never gets
    in, and an event is never lost for it.
    """

    kind: EventKind
    at: Instant
    account_ref: str | None = None
    session: str | None = None
    ticket: str | None = None
    facts: dict[Fact, str] = {}

    def __post_init__(self) -> None:
        """Raise :class:`ValueError` for a reference that is none."""
        for reference in (self.account_ref, self.session, self.ticket):
            if reference is not None and _CODE.fullmatch(reference) is None:
                raise ValueError("an audit event holds references only")

    def words(self) -> dict[str, str]:
        """Return the facts as they are stored: code words, in the order of their names."""
        return {fact.value: code_word(self.facts[fact]) for fact in sorted(self.facts)}


def code_word(text: str) -> str:
    """Return ``text`` if it is a short ASCII word, else ``other``."""
    return text if _CODE.fullmatch(text) else "other"
