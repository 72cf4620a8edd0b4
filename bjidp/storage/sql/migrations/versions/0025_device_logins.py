"""What owners are shown of the devices they are logged in on."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0025"
down_revision: Final = "0024"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "device_login",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("platform", sa.String(80)),
        sa.Column("browser", sa.String(80), nullable=False),
        sa.Column("os", sa.String(80), nullable=False),
        sa.Column("area", sa.Text),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="device_login_pk"),
        sa.ForeignKeyConstraint(["id"], ["oidc_grant.id"], name="device_login_id_fk", ondelete="CASCADE"),
    )
