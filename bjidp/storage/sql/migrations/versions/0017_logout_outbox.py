"""What relying parties are told of sessions and accounts that are over, each by itself; grants say when they ended.

The table before this one said what had become of an account and not to whom that was to be told. Nobody was.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0017"
down_revision: Final = "0016"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Put the one table in place of the other."""
    op.drop_table("outbox")
    op.add_column("oidc_grant", sa.Column("ended_at", sa.BigInteger))
    op.create_table(
        "logout_outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("client", sa.String(22), nullable=False),
        sa.Column("account_ref", sa.String(22), nullable=False),
        sa.Column("subject", sa.String(22), nullable=False),
        sa.Column("session", sa.String(22)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("over_at", sa.BigInteger),
        sa.Column("outcome", sa.String(80)),
        sa.PrimaryKeyConstraint("id", name="logout_outbox_pk"),
        sa.ForeignKeyConstraint(["client"], ["relying_party.id"], name="logout_outbox_client_fk", ondelete="CASCADE"),
    )
    op.create_index("logout_outbox_client_due_at_ix", "logout_outbox", ["client", "due_at"])
    due = sa.text("due_at IS NOT NULL")
    op.create_index("logout_outbox_due_ix", "logout_outbox", ["due_at"], postgresql_where=due, sqlite_where=due)
    op.create_index("logout_outbox_over_at_ix", "logout_outbox", ["over_at"])
