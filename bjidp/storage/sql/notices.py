"""What accounts are told: rows written in the transaction of what they tell of.

Owns the inserts into ``notice``. Called by the stores of whatever accounts are told of.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import insert

from bjidp.accounts.notices import NoticeKind
from bjidp.clock import Instant
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.schema import notice


class NoticeRows:
    """Queues notices within a transaction."""

    def __init__(self, engine: SqlEngine) -> None:
        """Compile the insert for ``engine``."""
        self._insert = engine.compile(insert(notice).inline(), ("account", "kind", "facts", "created_at"))

    def tell(
        self,
        transaction: Transaction,
        account: str,
        kind: NoticeKind,
        now: Instant,
        facts: dict[str, str] | None = None,
    ) -> None:
        """Queue a notice for ``account``; ``facts`` are code words."""
        words = msgspec.json.encode(facts or {}).decode()
        transaction.run(self._insert, {"account": account, "kind": kind.value, "facts": words, "created_at": now})
