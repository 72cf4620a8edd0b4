"""Accounts, identities, platform links, sessions, audit and notices.

Written out in full rather than taken from ``schema``: a released revision stays what it was when the schema moves on.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None

_ID = sa.String(22)
_WORD = sa.String(80)
_DIGEST = sa.LargeBinary(32)
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table of the first schema."""
    _accounts()
    _links()
    _sessions()
    _audit()


def _account_column(table: str) -> sa.Column[str]:
    reference = sa.ForeignKey("account.id", name=f"{table}_account_fk", ondelete="CASCADE")
    return sa.Column("account", _ID, reference, nullable=False)


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", _ID, nullable=False),
        sa.Column("ref", _ID, nullable=False),
        sa.Column("status", _WORD, nullable=False),
        sa.Column("username_sealed", sa.LargeBinary),
        sa.Column("phone_sealed", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="account_pk"),
        sa.UniqueConstraint("ref", name="account_ref_uq"),
    )
    op.create_table(
        "identifier",
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("key_version", sa.SmallInteger, nullable=False),
        sa.Column("digest", _DIGEST, nullable=False),
        _account_column("identifier"),
        sa.PrimaryKeyConstraint("kind", "key_version", "digest", name="identifier_pk"),
        sa.UniqueConstraint("account", "kind", "key_version", name="identifier_account_kind_key_version_uq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "identity",
        _account_column("identity"),
        sa.Column("document_type", _WORD, nullable=False),
        sa.Column("name_sealed", sa.LargeBinary, nullable=False),
        sa.Column("number_sealed", sa.LargeBinary, nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("evidence", _WORD, nullable=False),
        sa.Column("evidence_reference", _WORD, nullable=False),
        sa.Column("authority_reference", sa.String(255), nullable=False),
        sa.Column("bound_at", sa.BigInteger, nullable=False),
        sa.Column("proved_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("account", name="identity_pk"),
    )
    op.create_table(
        "login_network",
        _account_column("login_network"),
        sa.Column("network", _DIGEST, nullable=False),
        sa.Column("key_version", sa.SmallInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account", "network", name="login_network_pk"),
        sqlite_with_rowid=False,
    )
    op.create_index("login_network_last_at_ix", "login_network", ["last_at"])


def _links() -> None:
    op.create_table(
        "platform_link",
        sa.Column("id", _ID, nullable=False),
        _account_column("platform_link"),
        sa.Column("platform", _WORD, nullable=False),
        sa.Column("app_id", _WORD, nullable=False),
        sa.Column("open_id_sealed", sa.LargeBinary, nullable=False),
        sa.Column("face_checked_at", sa.BigInteger, nullable=False),
        sa.Column("valid_days", sa.SmallInteger, nullable=False),
        sa.Column("probation_until", sa.BigInteger),
        sa.Column("linked_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="platform_link_pk"),
        sa.UniqueConstraint("account", "platform", name="platform_link_account_platform_uq"),
    )
    link = sa.ForeignKey("platform_link.id", name="platform_identity_link_fk", ondelete="CASCADE")
    op.create_table(
        "platform_identity",
        sa.Column("key_version", sa.SmallInteger, nullable=False),
        sa.Column("digest", _DIGEST, nullable=False),
        sa.Column("link", _ID, link, nullable=False),
        sa.PrimaryKeyConstraint("key_version", "digest", name="platform_identity_pk"),
        sqlite_with_rowid=False,
    )
    op.create_index("platform_identity_link_ix", "platform_identity", ["link"])


def _sessions() -> None:
    op.create_table(
        "browser_session",
        sa.Column("id", _ID, nullable=False),
        sa.Column("key", _DIGEST, nullable=False),
        _account_column("browser_session"),
        sa.Column("way", _WORD, nullable=False),
        sa.Column("platform", _WORD),
        sa.Column("link", _ID),
        sa.Column("browser", _WORD, nullable=False),
        sa.Column("os", _WORD, nullable=False),
        sa.Column("area", sa.String(200)),
        sa.Column("network", _DIGEST, nullable=False),
        sa.Column("ticket", _DIGEST),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("csrf", _WORD, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="browser_session_pk"),
        sa.UniqueConstraint("key", name="browser_session_key_uq"),
    )
    op.create_index("browser_session_account_created_at_ix", "browser_session", ["account", "created_at"])
    op.create_index("browser_session_expires_at_ix", "browser_session", ["expires_at"])
    link = sa.ForeignKey("platform_link.id", name="mini_session_link_fk", ondelete="CASCADE")
    op.create_table(
        "mini_session",
        sa.Column("id", _ID, nullable=False),
        _account_column("mini_session"),
        sa.Column("link", _ID, link, nullable=False),
        sa.Column("platform", _WORD, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("rotated_at", sa.BigInteger, nullable=False),
        sa.Column("used", sa.SmallInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="mini_session_pk"),
    )
    op.create_index("mini_session_account_ix", "mini_session", ["account"])
    op.create_index("mini_session_expires_at_ix", "mini_session", ["expires_at"])
    op.create_index("mini_session_link_ix", "mini_session", ["link"])


def _audit() -> None:
    unsealed = sa.text("sealed_at IS NULL")
    undelivered = sa.text("delivered_at IS NULL")
    op.create_table(
        "audit_event",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("account_ref", _ID),
        sa.Column("session", _WORD),
        sa.Column("ticket", _WORD),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger),
        sa.Column("prev_hash", _DIGEST),
        sa.Column("hash", _DIGEST),
        sa.Column("sealed_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="audit_event_pk"),
        sa.UniqueConstraint("seq", name="audit_event_seq_uq"),
    )
    op.create_index("audit_event_account_ref_at_ix", "audit_event", ["account_ref", "at"])
    op.create_index("audit_event_unsealed_ix", "audit_event", ["id"], postgresql_where=unsealed, sqlite_where=unsealed)
    op.create_table(
        "notice",
        sa.Column("id", _SERIAL, nullable=False),
        _account_column("notice"),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="notice_pk"),
    )
    op.create_index("notice_account_ix", "notice", ["account"])
    op.create_index("notice_undelivered_ix", "notice", ["id"], postgresql_where=undelivered, sqlite_where=undelivered)
