"""How often sessions of an account were ended: what was confirmed before logs nobody in."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the column; every account begins at nought."""
    op.add_column("account", sa.Column("epoch", sa.Integer, nullable=False, server_default="0"))
