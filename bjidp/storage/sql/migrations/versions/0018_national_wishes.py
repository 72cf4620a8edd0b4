"""Who wants to become a user of the national platform too."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0018"
down_revision: Final = "0017"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "national_wish",
        sa.Column("account", sa.String(22), nullable=False),
        sa.Column("reference", sa.String(22), nullable=False),
        sa.Column("wished_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("account", name="national_wish_pk"),
        sa.UniqueConstraint("reference", name="national_wish_reference_uq"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="national_wish_account_fk", ondelete="CASCADE"),
    )
    op.create_index("national_wish_wished_at_ix", "national_wish", ["wished_at"])
    op.create_index("national_wish_due_at_ix", "national_wish", ["due_at"])
