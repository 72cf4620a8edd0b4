"""Indexes of mandates that are over, to be shown a page at a time and deleted, and of notices that wait."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0021"
down_revision: Final = "0020"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Put the indexes in place of narrower ones."""
    for side in ("organisation", "agent"):
        op.drop_index(f"mandate_{side}_ix", "mandate")
        op.create_index(f"mandate_{side}_offered_at_ix", "mandate", [side, "offered_at"])
    ended, untaken = sa.text("ended_at IS NOT NULL"), sa.text("agent IS NULL")
    op.create_index("mandate_ended_ix", "mandate", ["ended_at"], postgresql_where=ended, sqlite_where=ended)
    op.create_index("mandate_offered_ix", "mandate", ["offered_at"], postgresql_where=untaken, sqlite_where=untaken)
    op.drop_index("logout_outbox_client_due_at_ix", "logout_outbox")
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "logout_outbox_client_due_ix", "logout_outbox", ["client", "due_at"], postgresql_where=due, sqlite_where=due
    )
