"""A notice is read in a page, and nobody keeps whether it was delivered."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "0024"
down_revision: Final = "0023"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Drop the column, and the index of what was not."""
    op.drop_index("notice_undelivered_ix", "notice")
    op.drop_column("notice", "delivered_at")
