"""A SQLite file: read on the event loop, written by one transaction at a time.

Owns which way a statement takes. Made by ``engine``, called by the stores.

Readers of a write-ahead log wait for nobody, so a read runs right where it is asked for: a point read is 4 µs of CPU,
and 52 µs by way of a thread; among sixteen logins, whose threads take the interpreter lock from each other, the way
cost 330 µs. What does not succeed at once, for whatever reason, takes it after all, with its patience.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import ClauseElement, literal, select
from sqlalchemy.engine import URL, Dialect

from bjidp.storage.sql.database.dialects import Sqlite
from bjidp.storage.sql.database.group_commit import GroupCommit
from bjidp.storage.sql.database.statements import Row, Statement, Value
from bjidp.storage.sql.database.threads import Threads
from bjidp.storage.sql.database.transaction import Answer, Connection, Transaction

T = TypeVar("T")


class SqliteEngine:
    """See :class:`bjidp.storage.sql.database.engine.SqlEngine`."""

    def __init__(self, url: URL, patience: float) -> None:
        """Prepare for the file of ``url``; raise :class:`ValueError` when it names none."""
        self._database = Sqlite(url)
        self._ping = self.compile(select(literal(1)))
        self._reader = _Reader(self._database)
        self._reads = Threads(self._database, "sql-read", 1, patience)
        # Writers of one file take turns anyway; lining up for one thread spares them SQLite's polling for the lock.
        self._writes = Threads(self._database, "sql-write", 1, patience)
        self._short = GroupCommit(self._database, self._writes.add, patience)

    @property
    def dialect(self) -> Dialect:
        return self._database.dialect

    def compile(self, clause: ClauseElement, columns: Sequence[str] | None = None) -> Statement:
        return Statement(clause, self._database.dialect, columns)

    async def one(self, statement: Statement, values: Mapping[str, Value]) -> Row | None:
        try:
            return self._reader.transaction().one(statement, values)
        except sqlite3.Error:
            self._reader.drop()
        return await self._reads.read(lambda transaction: transaction.one(statement, values))

    async def all(self, statement: Statement, values: Mapping[str, Value]) -> list[Row]:
        try:
            return self._reader.transaction().all(statement, values)
        except sqlite3.Error:
            self._reader.drop()
        return await self._reads.read(lambda transaction: transaction.all(statement, values))

    async def write_one(self, statement: Statement, values: Mapping[str, Value]) -> Answer:
        return await self._short.write(lambda transaction: transaction.answer(statement, values))

    async def write_briefly(self, work: Callable[[Transaction], T]) -> T:
        return await self._short.write(work)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        return await self._writes.write(work)

    async def opened(self) -> None:
        # There is nothing to wait for.
        return

    async def ping(self) -> None:
        # By a thread, whose connecting looks at the file; this statement alone does not.
        await self._reads.read(lambda transaction: transaction.one(self._ping, {}))

    async def close(self) -> None:
        self._reader.close()
        await self._short.close()
        await self._writes.close()
        await self._reads.close()


class _Reader:
    """The connection that reads on the event loop."""

    def __init__(self, database: Sqlite) -> None:
        self._connect: Callable[[], Connection] = database.connect_reader
        self._connection: Connection | None = None
        self._transaction: Transaction | None = None

    def transaction(self) -> Transaction:
        """Return what runs statements; raise the driver's error when the file cannot be opened."""
        if self._transaction is None:
            self._connection = self._connect()
            self._transaction = Transaction(self._connection)
        return self._transaction

    def drop(self) -> None:
        connection, self._connection, self._transaction = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def close(self) -> None:
        self._connect = _closed
        self.drop()


def _closed() -> Connection:
    raise sqlite3.ProgrammingError("closed")
