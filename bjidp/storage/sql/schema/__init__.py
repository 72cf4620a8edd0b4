"""The tables, for SQLite and PostgreSQL alike, a module for each room whose they are.

Owns names, columns and constraints; ``migrations`` holds how a database gets there, and a test holds the two
together. Times are milliseconds since the epoch; ids and references 128 random bits in base64url; every value that
says who somebody is, or where to reach them, is a ``*_sealed`` column (``bjidp.privacy.fields``) or a digest
(``bjidp.privacy.index``).
"""

from __future__ import annotations

from bjidp.storage.sql.schema.accounts import (
    account,
    account_lock,
    external_link,
    identifier,
    login_network,
    national_wish,
    notice,
    platform_identity,
    platform_link,
)
from bjidp.storage.sql.schema.appeals import appeal, appeal_picture
from bjidp.storage.sql.schema.audit import audit_event
from bjidp.storage.sql.schema.columns import metadata
from bjidp.storage.sql.schema.identities import former_document, identity, identity_check
from bjidp.storage.sql.schema.organisations import mandate, organisation
from bjidp.storage.sql.schema.relying_parties import (
    consent,
    device_login,
    logout_outbox,
    oidc_grant,
    oidc_subject,
    relying_party,
)
from bjidp.storage.sql.schema.sessions import browser_session, mini_session

__all__ = [
    "account",
    "account_lock",
    "appeal",
    "appeal_picture",
    "audit_event",
    "browser_session",
    "consent",
    "device_login",
    "external_link",
    "former_document",
    "identifier",
    "identity",
    "identity_check",
    "login_network",
    "logout_outbox",
    "mandate",
    "metadata",
    "mini_session",
    "national_wish",
    "notice",
    "oidc_grant",
    "oidc_subject",
    "organisation",
    "platform_identity",
    "platform_link",
    "relying_party",
]
