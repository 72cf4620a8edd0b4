"""What differs between SQLite and PostgreSQL.

Owns opening a connection of either, and reading its errors. Called by ``threads``, ``sqlite``, ``group_commit`` and
``postgresql``; ``migrations`` sets the same pragmas.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, cast
from urllib.parse import quote

import psycopg
from sqlalchemy.engine import URL, Dialect

from bjidp.storage.sql.database.statements import Row
from bjidp.storage.sql.database.transaction import Connection
from bjidp.storage.sql.database.turns import Turns

STATEMENT_TIMEOUT = 5
"""Seconds a statement, or the wait for a lock, may take in the database."""


class Database(Protocol):
    """What differs between the two databases."""

    dialect: Dialect
    begin: str

    @property
    def turns(self) -> AbstractContextManager[object]:
        """What a thread holds while it writes."""
        ...

    def connect(self) -> Connection:
        """Open a connection for a thread of its own."""
        ...

    def contended(self, error: Exception) -> bool: ...

    def lost(self, error: Exception, connection: Connection) -> bool: ...

    def misfit(self, error: Exception) -> bool:
        """Return whether a value was one that this database cannot hold."""
        ...

    def code(self, error: Exception) -> str: ...


def _dialect(url: URL, paramstyle: str) -> Dialect:
    kind: Callable[..., Dialect] = url.get_dialect()
    return kind(paramstyle=paramstyle)


class Sqlite:
    """SQLite in a file, in WAL mode."""

    begin = "BEGIN IMMEDIATE"

    def __init__(self, url: URL) -> None:
        """Read ``url``; raise :class:`ValueError` when it names no file."""
        if url.database is None or url.database in {"", ":memory:"}:
            raise ValueError("SQLite needs a file: every thread has a connection of its own")
        self.dialect = _dialect(url, paramstyle="qmark")
        self.turns = Turns()
        self._path = url.database

    def connect(self) -> Connection:
        # isolation_level=None: transactions are begun here, by name, never by the driver's guess.
        connection = sqlite3.connect(self._path, timeout=STATEMENT_TIMEOUT, isolation_level=None)
        for pragma in SQLITE_PRAGMAS:
            connection.execute(pragma)
        return cast("Connection", connection)

    def connect_loop(self) -> Connection:
        """Open a connection that begins and writes on the event loop and commits elsewhere."""
        # timeout=0, as below. Two threads use it, never at a time: ``group_commit`` sees to that.
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        for pragma in SQLITE_PRAGMAS:
            connection.execute(pragma)
        return cast("Connection", connection)

    def connect_reader(self) -> Connection:
        """Open a connection that reads on the event loop."""
        # timeout=0: nothing that runs on the event loop waits for a lock.
        connection = sqlite3.connect(f"file:{quote(self._path)}?mode=rw", uri=True, timeout=0, isolation_level=None)
        connection.execute("PRAGMA query_only = ON")
        return cast("Connection", connection)

    def contended(self, error: Exception) -> bool:
        return False  # a writer waited STATEMENT_TIMEOUT for its turn already

    def lost(self, error: Exception, connection: Connection) -> bool:
        # The file was moved, the disk is full, the lock is held by another process: cheap to open anew.
        return isinstance(error, sqlite3.OperationalError)

    def misfit(self, error: Exception) -> bool:
        return isinstance(error, sqlite3.DataError)

    def code(self, error: Exception) -> str:
        return str(getattr(error, "sqlite_errorname", type(error).__name__))


SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # A login that was answered survives a power cut: 0.6 ms a commit, spent waiting, not computing.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)


class Postgresql:
    """PostgreSQL through psycopg 3."""

    begin = "BEGIN"

    def __init__(self, url: URL) -> None:
        """Read ``url``."""
        self.dialect = _dialect(url, paramstyle="format")
        # Its writers need no turns: they wait for each other's rows alone.
        self.turns: AbstractContextManager[object] = nullcontext()
        self._args, self._options = self.dialect.create_connect_args(url)

    def connect(self) -> Connection:
        return cast("Connection", self.connect_pipeline())

    def connect_pipeline(self) -> psycopg.Connection[Row]:
        """Open a connection as the driver has it."""
        options: dict[str, Any] = {
            "connect_timeout": STATEMENT_TIMEOUT,
            # A peer that vanished is noticed by the kernel, in the same bounded time.
            "keepalives_idle": 30,
            "tcp_user_timeout": STATEMENT_TIMEOUT * 1000,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT}s -c lock_timeout={STATEMENT_TIMEOUT}s"
            f" -c idle_in_transaction_session_timeout={STATEMENT_TIMEOUT}s",
            "application_name": "bjidp",
            **self._options,
        }
        # autocommit: a single statement is its own transaction in one round trip; others say BEGIN themselves.
        return psycopg.connect(*self._args, autocommit=True, **options)

    def contended(self, error: Exception) -> bool:
        return isinstance(error, psycopg.errors.SerializationFailure | psycopg.errors.DeadlockDetected)

    def lost(self, error: Exception, connection: Connection) -> bool:
        return bool(cast("psycopg.Connection[Row]", connection).closed)

    def misfit(self, error: Exception) -> bool:
        return isinstance(error, psycopg.DataError)

    def code(self, error: Exception) -> str:
        return str(getattr(error, "sqlstate", None) or type(error).__name__)
