"""What accounts have stated of documents that they have given up."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the table.

    Of an identity without a date nobody knows any more whether its document is valid for life: it counts as unstated.
    """
    op.create_table(
        "former_document",
        sa.Column("account", sa.String(22), nullable=False),
        sa.Column("key_version", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("runs_out_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account", "key_version", "digest", name="former_document_pk"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="former_document_account_fk", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
