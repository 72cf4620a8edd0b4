"""Appeals, and the pictures that came with them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "appeal",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("account", sa.String(22), nullable=False),
        sa.Column("state", sa.String(80), nullable=False),
        sa.Column("key_version", sa.SmallInteger, nullable=False),
        sa.Column("document", sa.LargeBinary(32), nullable=False),
        sa.Column("new_sealed", sa.LargeBinary, nullable=False),
        sa.Column("exchange", sa.SmallInteger, nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary, nullable=False),
        sa.Column("contact_sealed", sa.LargeBinary, nullable=False),
        sa.Column("filed_at", sa.BigInteger, nullable=False),
        sa.Column("reviewed_at", sa.BigInteger),
        sa.Column("reviewer", sa.String(80)),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("decider", sa.String(80)),
        sa.Column("explanation_sealed", sa.LargeBinary),
        sa.Column("loser", sa.String(22)),
        sa.Column("exchanged", sa.SmallInteger, nullable=False),
        sa.Column("tell_at", sa.BigInteger),
        sa.Column("told_at", sa.BigInteger),
        sa.Column("loser_told_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="appeal_pk"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="appeal_account_fk", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["loser"], ["account.id"], name="appeal_loser_fk", ondelete="SET NULL"),
    )
    op.create_index("appeal_decided_at_ix", "appeal", ["decided_at"])
    op.create_index("appeal_tell_at_ix", "appeal", ["tell_at"])
    op.create_index("appeal_account_filed_at_ix", "appeal", ["account", "filed_at"])
    op.create_index("appeal_key_version_document_ix", "appeal", ["key_version", "document"])
    op.create_index("appeal_state_filed_at_ix", "appeal", ["state", "filed_at"])
    op.create_table(
        "appeal_picture",
        sa.Column("appeal", sa.String(22), nullable=False),
        sa.Column("number", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("file", sa.SmallInteger, nullable=False),
        sa.Column("kind", sa.String(80), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("name_sealed", sa.LargeBinary, nullable=False),
        sa.Column("picture_sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("appeal", "number", name="appeal_picture_pk"),
        sa.ForeignKeyConstraint(["appeal"], ["appeal.id"], name="appeal_picture_appeal_fk", ondelete="CASCADE"),
    )
