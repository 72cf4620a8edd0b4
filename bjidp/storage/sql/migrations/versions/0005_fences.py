"""Sessions in browsers know the epoch they were opened in, and accounts which of them are over."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the columns; no session is over by them yet."""
    op.add_column("account", sa.Column("fence", sa.Integer, nullable=False, server_default="0"))
    op.add_column("account", sa.Column("kept", sa.String(22)))
    op.add_column("browser_session", sa.Column("epoch", sa.Integer, nullable=False, server_default="0"))
