"""The reference of the newest proof, apart from that of the one that counts."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Until now the newest proof's was the only one that was kept."""
    op.add_column("identity", sa.Column("newest_reference", sa.String(80), nullable=False, server_default=""))
    op.execute("UPDATE identity SET newest_reference = evidence_reference")
