"""Identities whose accounts are to be told that a document has run out are found apart from those who were."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Put an index of the few in place of that of all."""
    op.drop_index("identity_runs_out_at_ix", "identity")
    untold = sa.text("worn_told_at IS NULL")
    op.create_index("identity_untold_ix", "identity", ["runs_out_at"], postgresql_where=untold, sqlite_where=untold)
