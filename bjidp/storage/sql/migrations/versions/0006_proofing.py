"""When documents run out, what their holders stated, and what registers were asked for accounts."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the columns, whose values nobody has stated yet, and the table."""
    op.add_column("identity", sa.Column("runs_out_at", sa.BigInteger))
    op.add_column("identity", sa.Column("sex", sa.String(80)))
    op.create_index("identity_runs_out_at_ix", "identity", ["runs_out_at"])
    op.create_table(
        "identity_check",
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("account", sa.String(22), nullable=False),
        sa.Column("register", sa.String(80), nullable=False),
        sa.Column("facts", sa.LargeBinary(32), nullable=False),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.String(80)),
        sa.Column("reason", sa.String(80)),
        sa.Column("register_reference", sa.String(255)),
        sa.Column("answered_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("reference", name="identity_check_pk"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="identity_check_account_fk", ondelete="CASCADE"),
    )
    op.create_index("identity_check_begun_at_ix", "identity_check", ["begun_at"])
    op.create_index(
        "identity_check_account_register_begun_at_ix", "identity_check", ["account", "register", "begun_at"]
    )
