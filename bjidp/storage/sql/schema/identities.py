"""Identity documents, and what registers were asked of them."""

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
)

from bjidp.storage.sql.schema.columns import DIGEST, ID, INSTANT, WORD, index_of_some, metadata, of_account

identity = Table(
    "identity",
    metadata,
    Column("account", ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("document_type", WORD, nullable=False),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("number_sealed", LargeBinary, nullable=False),
    Column("evidence", WORD, nullable=False),
    # Ours, of the proof that counts, and of the newest one, which a better one before it may outweigh.
    Column("evidence_reference", WORD, nullable=False),
    Column("newest_reference", WORD, nullable=False, server_default=""),
    Column("authority_reference", String(255), nullable=False),
    Column("bound_at", INSTANT, nullable=False),
    Column("proved_at", INSTANT, nullable=False),
    Column("version", Integer, nullable=False),
    # When it came here from another account (RNV-7).
    Column("moved_at", INSTANT),
    # When its document is valid no more; the greatest value there is for one that is valid for life, and empty where
    # nobody stated it (``terms``).
    Column("runs_out_at", INSTANT),
    # When its account was told that it is; what it is worth is computed whenever it is looked at.
    Column("worn_told_at", INSTANT),
    # What its holder stated, for documents whose numbers do not tell it.
    Column("sex", WORD),
)

# Those who were told are not looked at again.
index_of_some("identity_untold_ix", identity.c.runs_out_at, where=identity.c.worn_told_at.is_(None))

# What an account has stated of a document that it has given up, by digests that found the account while it had it.
former_document = Table(
    "former_document",
    metadata,
    Column("account", ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("key_version", SmallInteger, primary_key=True, autoincrement=False),
    Column("digest", DIGEST, primary_key=True),
    Column("runs_out_at", INSTANT, nullable=False),
    sqlite_with_rowid=False,
)

# Questions to registers, written down before they are asked: a retry after a crash repeats the reference, and is
# charged nothing. What was asked is a keyed digest.
identity_check = Table(
    "identity_check",
    metadata,
    Column("reference", WORD, primary_key=True),
    of_account(),
    Column("register", WORD, nullable=False),
    Column("facts", DIGEST, nullable=False),
    Column("begun_at", INSTANT, nullable=False, index=True),
    Column("answer", WORD),
    Column("reason", WORD),
    Column("register_reference", String(255)),
    Column("answered_at", INSTANT),
    Index(None, "account", "register", "begun_at"),
)
