"""Levels are computed, and identities know when their accounts were told that the document has run out."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0011"
down_revision: Final = "0010"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Whoever was lowered to L1 was told with it."""
    op.add_column("identity", sa.Column("worn_told_at", sa.BigInteger))
    op.execute("UPDATE identity SET worn_told_at = runs_out_at WHERE level = 1")
    op.drop_column("identity", "level")
