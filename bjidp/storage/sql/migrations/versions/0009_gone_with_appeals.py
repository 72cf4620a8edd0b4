"""What went from accounts with a decision, for sessions that are kept elsewhere."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the columns: nothing went with what was decided before."""
    op.add_column("appeal", sa.Column("gone", sa.Text))
    op.add_column("appeal", sa.Column("loser_gone", sa.Text))
