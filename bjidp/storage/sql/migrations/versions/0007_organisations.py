"""Organisations, and the mandates to act for them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "organisation",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("credit_code", sa.String(18), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("representative", sa.String(22), nullable=False),
        sa.Column("bound_at", sa.BigInteger, nullable=False),
        sa.Column("led_at", sa.BigInteger, nullable=False),
        sa.Column("confirmed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="organisation_pk"),
        sa.UniqueConstraint("credit_code", name="organisation_credit_code_uq"),
        sa.ForeignKeyConstraint(
            ["representative"], ["account.id"], name="organisation_representative_fk", ondelete="CASCADE"
        ),
    )
    op.create_index("organisation_representative_ix", "organisation", ["representative"])
    op.create_table(
        "mandate",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("organisation", sa.String(22), nullable=False),
        sa.Column("scope", sa.String(80), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary, nullable=False),
        sa.Column("key_version", sa.SmallInteger, nullable=False),
        sa.Column("phone_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("offered_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("agent", sa.String(22)),
        sa.Column("agent_bound_at", sa.BigInteger),
        sa.Column("accepted_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by", sa.String(80)),
        sa.PrimaryKeyConstraint("id", name="mandate_pk"),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisation.id"], name="mandate_organisation_fk", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["agent"], ["account.id"], name="mandate_agent_fk", ondelete="CASCADE"),
    )
    op.create_index("mandate_organisation_ix", "mandate", ["organisation"])
    op.create_index("mandate_ends_at_ix", "mandate", ["ends_at"])
    op.create_index("mandate_agent_ix", "mandate", ["agent"])
    op.create_index("mandate_key_version_phone_digest_ix", "mandate", ["key_version", "phone_digest"])
