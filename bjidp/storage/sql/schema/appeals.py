"""Appeals, and their pictures."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)

from bjidp.storage.sql.schema.columns import DIGEST, ID, INSTANT, WORD, metadata, of_account

# What the authority has confirmed, the reason and everything else that is somebody's own words, is sealed.
appeal = Table(
    "appeal",
    metadata,
    Column("id", ID, primary_key=True),
    of_account(),
    Column("state", WORD, nullable=False),
    # The document it is about, as a digest under the version that was current: to count those for one identity.
    Column("key_version", SmallInteger, nullable=False),
    Column("document", DIGEST, nullable=False),
    Column("new_sealed", LargeBinary, nullable=False),
    Column("exchange", SmallInteger, nullable=False),
    Column("reason_sealed", LargeBinary, nullable=False),
    Column("contact_sealed", LargeBinary, nullable=False),
    Column("filed_at", INSTANT, nullable=False),
    Column("reviewed_at", INSTANT),
    Column("reviewer", WORD),
    Column("decided_at", INSTANT, index=True),
    Column("decider", WORD),
    Column("explanation_sealed", LargeBinary),
    # The account that lost the identity, and whether another identity of the account's gave way.
    Column("loser", ID, ForeignKey("account.id", ondelete="SET NULL")),
    Column("exchanged", SmallInteger, nullable=False),
    # When somebody is next to tell the outcome; empty while there is none, and once nobody is left to be told.
    Column("tell_at", INSTANT, index=True),
    Column("told_at", INSTANT),
    Column("loser_told_at", INSTANT),
    # What went from either account with the decision: ids alone, until somebody has followed it up.
    Column("gone", Text),
    Column("loser_gone", Text),
    Index(None, "account", "filed_at"),
    Index(None, "key_version", "document"),
    Index(None, "state", "filed_at"),
)

appeal_picture = Table(
    "appeal_picture",
    metadata,
    Column("appeal", ID, ForeignKey("appeal.id", ondelete="CASCADE"), primary_key=True),
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("file", SmallInteger, nullable=False),
    Column("kind", WORD, nullable=False),
    # Before the picture: whoever adds sizes up does not read pictures.
    Column("size", Integer, nullable=False),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("picture_sealed", LargeBinary, nullable=False),
)
