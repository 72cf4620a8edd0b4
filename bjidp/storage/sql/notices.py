"""What accounts and relying parties are told: rows written in the transaction of what they tell of.

Owns the inserts into ``notice`` and ``outbox``. Called by the stores of whatever accounts are told of.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import insert

from bjidp.accounts.notices import NoticeKind
from bjidp.audit.event import EventKind
from bjidp.clock import Instant
from bjidp.storage.sql.engine import SqlEngine
from bjidp.storage.sql.schema import notice, outbox
from bjidp.storage.sql.transaction import Transaction


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


class OutboxRows:
    """Queues what relying parties are told within a transaction."""

    def __init__(self, engine: SqlEngine) -> None:
        """Compile the insert for ``engine``."""
        self._insert = engine.compile(insert(outbox).inline(), ("kind", "account_ref", "created_at"))

    def tell(self, transaction: Transaction, account_ref: str, kind: EventKind, now: Instant) -> None:
        """Queue that ``kind`` happened to the account of this reference."""
        transaction.run(self._insert, {"kind": kind.value, "account_ref": account_ref, "created_at": now})
