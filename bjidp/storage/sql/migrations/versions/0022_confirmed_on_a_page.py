"""Which session confirmed it for a device, on a page: whoever ends that from elsewhere ends what the device has."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0022"
down_revision: Final = "0021"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the column. Of what was confirmed before nobody knows where: it ends with its site, its time or its epoch."""
    op.add_column("oidc_grant", sa.Column("confirmed_in", sa.String(22)))
    there = sa.text("confirmed_in IS NOT NULL")
    op.create_index(
        "oidc_grant_confirmed_in_ix", "oidc_grant", ["confirmed_in"], postgresql_where=there, sqlite_where=there
    )
