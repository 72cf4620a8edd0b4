"""Organisations, and mandates to act for them."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
)

from bjidp.storage.sql.schema.columns import DIGEST, ID, INSTANT, WORD, index_of_some, metadata

# Code and name are public. Whoever the register confirmed leads it while their account has the identity it had then.
organisation = Table(
    "organisation",
    metadata,
    Column("id", ID, primary_key=True),
    Column("credit_code", String(18), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("representative", ID, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("bound_at", INSTANT, nullable=False),
    Column("led_at", INSTANT, nullable=False),
    Column("confirmed_at", INSTANT, nullable=False),
    Column("refused_at", INSTANT),
)

mandate = Table(
    "mandate",
    metadata,
    Column("id", ID, primary_key=True),
    Column("organisation", ID, ForeignKey("organisation.id", ondelete="CASCADE"), nullable=False),
    Column("scope", WORD, nullable=False),
    Column("phone_sealed", LargeBinary, nullable=False),
    # By which whoever has the number finds an offer.
    Column("key_version", SmallInteger, nullable=False),
    Column("phone_digest", DIGEST, nullable=False),
    Column("offered_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False, index=True),
    Column("agent", ID, ForeignKey("account.id", ondelete="CASCADE")),
    Column("agent_bound_at", INSTANT),
    Column("accepted_at", INSTANT),
    Column("ended_at", INSTANT),
    Column("ended_by", WORD),
    Index(None, "key_version", "phone_digest"),
    # A page of a history begins where the one before has ended.
    Index(None, "organisation", "offered_at"),
    Index(None, "agent", "offered_at"),
)

# What is over is found by why it is: it was ended, nobody took it, or by ``ends_at`` its time has come.
index_of_some("mandate_ended_ix", mandate.c.ended_at, where=mandate.c.ended_at.is_not(None))

index_of_some("mandate_offered_ix", mandate.c.offered_at, where=mandate.c.agent.is_(None))
