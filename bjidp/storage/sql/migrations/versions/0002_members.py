"""Passwords, mail addresses and the like of accounts, notices that were seen, and what relying parties are told.

Columns are added in place. Making the table anew, as is usual for SQLite, would delete every row that refers to an
account with it.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"
branch_labels: Final = None
depends_on: Final = None

_ID = sa.String(22)
_WORD = sa.String(80)
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns, the table and the indexes."""
    for column in (
        sa.Column("password", sa.String(255)),
        sa.Column("password_changed_at", sa.BigInteger),
        sa.Column("phone_used_at", sa.BigInteger),
        sa.Column("mail_sealed", sa.LargeBinary),
        sa.Column("ethnicity", _WORD),
        sa.Column("cancelled_at", sa.BigInteger),
    ):
        op.add_column("account", column)
    op.add_column("notice", sa.Column("seen_at", sa.BigInteger))
    op.create_index("notice_created_at_ix", "notice", ["created_at"])
    op.drop_index("audit_event_account_ref_at_ix", "audit_event")
    op.create_index("audit_event_account_ref_id_ix", "audit_event", ["account_ref", "id"])
    op.create_table(
        "outbox",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("account_ref", _ID, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="outbox_pk"),
    )
    undelivered = sa.text("delivered_at IS NULL")
    op.create_index("outbox_undelivered_ix", "outbox", ["id"], postgresql_where=undelivered, sqlite_where=undelivered)
