"""Secrets that relying parties of the city's own interface compute with."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0020"
down_revision: Final = "0019"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("relying_party", sa.Column("shared_sealed", sa.LargeBinary))
