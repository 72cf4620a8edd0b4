"""Sessions in browsers and on phones."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
)

from bjidp.storage.sql.schema.columns import DIGEST, ID, INSTANT, WORD, metadata, of_account

browser_session = Table(
    "browser_session",
    metadata,
    Column("id", ID, primary_key=True),
    # A hash of the cookie: who reads the table can not log in with what it holds.
    Column("key", DIGEST, nullable=False, unique=True),
    of_account(),
    Column("way", WORD, nullable=False),
    Column("platform", WORD),
    Column("link", ID),
    Column("browser", WORD, nullable=False),
    Column("os", WORD, nullable=False),
    Column("area", String(200)),
    Column("network", DIGEST, nullable=False),
    Column("ticket", DIGEST),
    Column("created_at", INSTANT, nullable=False),
    Column("last_used_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False, index=True),
    Column("csrf", WORD, nullable=False),
    Column("data", Text, nullable=False),
    Column("version", Integer, nullable=False),
    # The account's when it was opened.
    Column("epoch", Integer, nullable=False, server_default="0"),
    Index(None, "account", "created_at"),
)

mini_session = Table(
    "mini_session",
    metadata,
    Column("id", ID, primary_key=True),
    of_account(),
    Column("link", ID, ForeignKey("platform_link.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("platform", WORD, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("rotated_at", INSTANT, nullable=False),
    Column("used", SmallInteger, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Index(None, "account"),
)
