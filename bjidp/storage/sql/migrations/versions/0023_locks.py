"""Accounts that staff lock, until that is followed up."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0023"
down_revision: Final = "0022"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "account_lock",
        sa.Column("account", sa.String(22), nullable=False),
        sa.Column("status", sa.String(80), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("settled_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["account"], ["account.id"], "account_lock_account_fk", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", name="account_lock_pk"),
    )
    op.create_index("account_lock_due_at_ix", "account_lock", ["due_at"])
