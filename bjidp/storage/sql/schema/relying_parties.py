"""Relying parties, what people agree to for them, what they are given, and what they are told."""

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
)

from bjidp.storage.sql.schema.columns import DIGEST, ID, INSTANT, SERIAL, WORD, index_of_some, metadata, of_account

# What it registered, as it was read: a client is read from that anew. Whatever proves it is a hash.
relying_party = Table(
    "relying_party",
    metadata,
    Column("id", ID, primary_key=True),
    Column("metadata", Text, nullable=False),
    Column("secret", DIGEST),
    Column("created_at", INSTANT, nullable=False),
    # Of the city's own interface, whose secret is computed with.
    Column("shared_sealed", LargeBinary),
)

consent = Table(
    "consent",
    metadata,
    Column("account", ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("client", ID, ForeignKey("relying_party.id", ondelete="CASCADE"), primary_key=True),
    # Words between blanks, as OAuth writes them.
    Column("scopes", Text, nullable=False),
    Column("agreed_at", INSTANT, nullable=False),
    sqlite_with_rowid=False,
)

# Whom relying parties of one sector know an account as.
oidc_subject = Table(
    "oidc_subject",
    metadata,
    Column("account", ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("sector", String(255), primary_key=True),
    Column("subject", ID, nullable=False),
    sqlite_with_rowid=False,
)

# What has ended is deleted, and stays in the audit log; what ended before its session stays here until that does, since
# it says which relying parties are to be told.
oidc_grant = Table(
    "oidc_grant",
    metadata,
    Column("id", ID, primary_key=True),
    of_account(),
    Column("client", ID, ForeignKey("relying_party.id", ondelete="CASCADE"), nullable=False),
    Column("subject", ID, nullable=False),
    Column("session", ID, nullable=False, index=True),
    # The account's when they agreed, as for sessions.
    Column("epoch", Integer, nullable=False),
    Column("scopes", Text, nullable=False),
    # The key of the capacity in which they act for one, as sessions keep it.
    Column("organisation", String(64)),
    Column("authenticated_at", INSTANT, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("methods", Text, nullable=False),
    # A device's, where a session confirmed it on a page: who ends that session elsewhere ends this too.
    Column("confirmed_in", ID),
    # The number of its newest refresh token; empty where it has none and goes with its session.
    Column("number", Integer),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False, index=True),
    Column("ended_at", INSTANT),
    Index(None, "account", "client"),
)

index_of_some("oidc_grant_confirmed_in_ix", oidc_grant.c.confirmed_in, where=oidc_grant.c.confirmed_in.is_not(None))

# What its owner is shown of what a device was given.
device_login = Table(
    "device_login",
    metadata,
    Column("id", ID, ForeignKey("oidc_grant.id", ondelete="CASCADE"), primary_key=True),
    Column("platform", WORD),
    Column("browser", WORD, nullable=False),
    Column("os", WORD, nullable=False),
    Column("area", Text),
    Column("used_at", INSTANT, nullable=False),
)

# What relying parties are told of sessions and accounts that are over. It outlives both, so it refers to neither.
logout_outbox = Table(
    "logout_outbox",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("client", ID, ForeignKey("relying_party.id", ondelete="CASCADE"), nullable=False),
    Column("account_ref", ID, nullable=False),
    Column("subject", ID, nullable=False),
    # Empty where all sessions of the subject are over.
    Column("session", ID),
    Column("created_at", INSTANT, nullable=False),
    Column("attempts", Integer, nullable=False),
    # When it is tried next; whoever tries it puts that off first. Empty once nobody does.
    Column("due_at", INSTANT),
    Column("over_at", INSTANT, index=True),
    Column("outcome", WORD),
)

# Of what waits alone, which is little beside what is kept for a month to be counted.
index_of_some(
    "logout_outbox_client_due_ix",
    logout_outbox.c.client,
    logout_outbox.c.due_at,
    where=logout_outbox.c.due_at.is_not(None),
)

index_of_some("logout_outbox_due_ix", logout_outbox.c.due_at, where=logout_outbox.c.due_at.is_not(None))
