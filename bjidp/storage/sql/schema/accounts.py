"""Accounts, what identifies them, and what logs in to them."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from bjidp.storage.sql.schema.columns import DIGEST, ID, INSTANT, SERIAL, WORD, metadata, of_account

account = Table(
    "account",
    metadata,
    Column("id", ID, primary_key=True),
    Column("ref", ID, nullable=False, unique=True),
    Column("status", WORD, nullable=False),
    # Empty in what is left of an account that was erased: its reference, for the audit log (PRV-4).
    Column("username_sealed", LargeBinary),
    Column("phone_sealed", LargeBinary),
    Column("created_at", INSTANT, nullable=False),
    # A hash that was made to be kept (``bjidp.accounts.hashing``).
    Column("password", String(255)),
    Column("password_changed_at", INSTANT),
    Column("phone_used_at", INSTANT),
    Column("mail_sealed", LargeBinary),
    Column("ethnicity", WORD),
    Column("cancelled_at", INSTANT),
    # Rises whenever sessions are ended. The default is for accounts that a process of the release before makes.
    Column("epoch", Integer, nullable=False, server_default="0"),
    # Sessions in browsers that were opened in an earlier epoch are over, but for the one that is kept.
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("kept", ID),
)

# The newest lock of an account, or its end, until that is followed up; of one that is locked for as long as it is.
account_lock = Table(
    "account_lock",
    metadata,
    Column("account", ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("status", WORD, nullable=False),
    Column("at", INSTANT, nullable=False),
    # When somebody is next to follow it up; empty once that is done.
    Column("due_at", INSTANT, index=True),
    # When what was logged in was ended wherever it is kept.
    Column("settled_at", INSTANT),
)

identifier = Table(
    "identifier",
    metadata,
    Column("kind", WORD, primary_key=True),
    Column("key_version", SmallInteger, primary_key=True, autoincrement=False),
    Column("digest", DIGEST, primary_key=True),
    of_account(),
    # One identifier of a kind per account and key version: a second document or phone is a mistake, not a choice.
    UniqueConstraint("account", "kind", "key_version"),
    sqlite_with_rowid=False,
)

platform_link = Table(
    "platform_link",
    metadata,
    Column("id", ID, primary_key=True),
    of_account(),
    Column("platform", WORD, nullable=False),
    Column("app_id", WORD, nullable=False),
    Column("open_id_sealed", LargeBinary, nullable=False),
    Column("face_checked_at", INSTANT, nullable=False),
    Column("valid_days", SmallInteger, nullable=False),
    Column("probation_until", INSTANT),
    Column("linked_at", INSTANT, nullable=False),
    # A newer platform identity takes the place of the older one of the same platform (REG-7).
    UniqueConstraint("account", "platform"),
)

platform_identity = Table(
    "platform_identity",
    metadata,
    # The digest is over platform, app and openid: an openid means nothing without its app (attack M4).
    Column("key_version", SmallInteger, primary_key=True, autoincrement=False),
    Column("digest", DIGEST, primary_key=True),
    Column("link", ID, ForeignKey("platform_link.id", ondelete="CASCADE"), nullable=False, index=True),
    sqlite_with_rowid=False,
)

# What an account is logged in to by elsewhere; who holds which is decided by ``identifier``.
external_link = Table(
    "external_link",
    metadata,
    Column("account", ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", WORD, primary_key=True),
    Column("app_id", WORD, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("value_sealed", LargeBinary, nullable=False),
    Column("linked_at", INSTANT, nullable=False),
    sqlite_with_rowid=False,
)

login_network = Table(
    "login_network",
    metadata,
    Column("account", ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("network", DIGEST, primary_key=True),
    # The one the digest was made under; it says how many are known only by a version that is to be dropped.
    Column("key_version", SmallInteger, nullable=False),
    Column("last_at", INSTANT, nullable=False, index=True),
    sqlite_with_rowid=False,
)

notice = Table(
    "notice",
    metadata,
    Column("id", SERIAL, primary_key=True),
    of_account(),
    Column("kind", WORD, nullable=False),
    Column("facts", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("seen_at", INSTANT),
    Index(None, "account"),
    Index(None, "created_at"),
)

# Who wants to become a user of the national platform too, until they are. What is handed on is read from the account.
national_wish = Table(
    "national_wish",
    metadata,
    Column("account", ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("reference", ID, nullable=False, unique=True),
    Column("wished_at", INSTANT, nullable=False, index=True),
    # Empty while the account has no identity.
    Column("due_at", INSTANT, index=True),
    Column("attempts", Integer, nullable=False),
)
