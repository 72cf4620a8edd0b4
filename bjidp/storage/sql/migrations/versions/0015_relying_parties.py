"""Relying parties, what people agreed that they may read, and the grants that come of it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0015"
down_revision: Final = "0014"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "relying_party",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("secret", sa.LargeBinary(32)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="relying_party_pk"),
    )
    op.create_table(
        "consent",
        sa.Column("account", sa.String(22), nullable=False),
        sa.Column("client", sa.String(22), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("agreed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account", "client", name="consent_pk"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="consent_account_fk", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["client"], ["relying_party.id"], name="consent_client_fk", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "oidc_subject",
        sa.Column("account", sa.String(22), nullable=False),
        sa.Column("sector", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(22), nullable=False),
        sa.PrimaryKeyConstraint("account", "sector", name="oidc_subject_pk"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="oidc_subject_account_fk", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "oidc_grant",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("account", sa.String(22), nullable=False),
        sa.Column("client", sa.String(22), nullable=False),
        sa.Column("subject", sa.String(22), nullable=False),
        sa.Column("session", sa.String(22), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("organisation", sa.String(18)),
        sa.Column("authenticated_at", sa.BigInteger, nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("methods", sa.Text, nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="oidc_grant_pk"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="oidc_grant_account_fk", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["client"], ["relying_party.id"], name="oidc_grant_client_fk", ondelete="CASCADE"),
    )
    op.create_index("oidc_grant_session_ix", "oidc_grant", ["session"])
    op.create_index("oidc_grant_expires_at_ix", "oidc_grant", ["expires_at"])
    op.create_index("oidc_grant_account_client_ix", "oidc_grant", ["account", "client"])
