"""What accounts are logged in to by elsewhere."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0019"
down_revision: Final = "0018"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "external_link",
        sa.Column("account", sa.String(22), nullable=False),
        sa.Column("provider", sa.String(80), nullable=False),
        sa.Column("app_id", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(80), nullable=False),
        sa.Column("value_sealed", sa.LargeBinary, nullable=False),
        sa.Column("linked_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account", "provider", name="external_link_pk"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="external_link_account_fk", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
