"""The audit log."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Table,
    Text,
)

from bjidp.storage.sql.schema.columns import DIGEST, ID, INSTANT, SERIAL, WORD, index_of_some, metadata

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("kind", WORD, nullable=False),
    Column("at", INSTANT, nullable=False),
    # References outlive what they refer to, so none of these is a foreign key.
    Column("account_ref", ID),
    Column("session", WORD),
    Column("ticket", WORD),
    Column("facts", Text, nullable=False),
    # Set by the sealer, which links committed rows by hash (OPS-8); empty until then.
    Column("seq", BigInteger, unique=True),
    Column("prev_hash", DIGEST),
    Column("hash", DIGEST),
    Column("sealed_at", INSTANT),
    Index(None, "account_ref", "id"),
)

index_of_some("audit_event_unsealed_ix", audit_event.c.id, where=audit_event.c.sealed_at.is_(None))
