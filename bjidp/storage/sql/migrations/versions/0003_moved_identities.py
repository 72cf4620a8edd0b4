"""When an identity moved from one account to another: it does so at most once in a day (RNV-7)."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the column; nothing has moved yet."""
    op.add_column("identity", sa.Column("moved_at", sa.BigInteger))
