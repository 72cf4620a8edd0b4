"""What the business register does not confirm any more is kept, so that nobody goes on acting for it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0014"
down_revision: Final = "0013"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Nothing is known of what was refused before."""
    op.add_column("organisation", sa.Column("refused_at", sa.BigInteger))
