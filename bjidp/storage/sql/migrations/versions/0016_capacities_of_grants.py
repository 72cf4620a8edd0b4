"""A grant names the capacity in which its owner acts for an organisation, as a session does."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0016"
down_revision: Final = "0015"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Nothing was ever written there."""
    op.drop_column("oidc_grant", "organisation")
    op.add_column("oidc_grant", sa.Column("organisation", sa.String(64)))
