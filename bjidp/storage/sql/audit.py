"""Audit events as rows.

Owns the insert that every other store of this package calls inside its own transaction, and the port
``AuditLog`` for events that stand alone. Rows are written unchained; the sealer's columns stay empty here.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import bindparam, insert, select

from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Row, Value
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.schema import account, audit_event

_ROW = insert(audit_event).inline()
_COLUMNS = ("kind", "at", "account_ref", "session", "ticket", "facts")

EVENT = tuple(audit_event.c[name] for name in _COLUMNS)

_FACTS = msgspec.json.Decoder(dict[Fact, str])


class AuditRows:
    """Writes events within a transaction."""

    def __init__(self, engine: SqlEngine) -> None:
        """Compile the inserts for ``engine``."""
        reference = select(account.c.ref).where(account.c.id == bindparam("account")).scalar_subquery()
        self._insert = engine.compile(_ROW, _COLUMNS)
        self._insert_for = engine.compile(_ROW.values(account_ref=reference), _COLUMNS)

    def write(self, transaction: Transaction, event: AuditEvent) -> None:
        """Write ``event`` as it is."""
        transaction.run(self._insert, _row(event))

    def write_for(self, transaction: Transaction, account_id: str, event: AuditEvent) -> None:
        """Write ``event`` with the reference of the account whose id is at hand."""
        transaction.run(self._insert_for, {"account": account_id, **event_values(event)})


def event_values(event: AuditEvent) -> dict[str, Value]:
    """Return the columns of an event, by name, but the account's reference."""
    return {
        "kind": event.kind.value,
        "at": event.at,
        "session": event.session,
        "ticket": event.ticket,
        "facts": msgspec.json.encode(event.words()).decode(),
    }


def event_from(row: Row) -> AuditEvent:
    """Read the columns :data:`EVENT`."""
    kind, at, ref, session, ticket, facts = row
    return AuditEvent(EventKind(kind), at, ref, session, ticket, _FACTS.decode(facts))


def _row(event: AuditEvent) -> dict[str, Value]:
    return {"account_ref": event.account_ref, **event_values(event)}


class SqlAuditLog:
    """The audit log in a database."""

    def __init__(self, engine: SqlEngine) -> None:
        """Write through ``engine``."""
        self._engine = engine
        self._insert = engine.compile(_ROW, _COLUMNS)

    async def append(self, event: AuditEvent) -> None:
        """Write ``event``; it is durable when this returns. Raises ``StoreUnavailable``."""
        await self._engine.write_one(self._insert, _row(event))
