"""Threads, connections, transactions and failures of a SQL database.

Owns the only way this package reaches a database: a piece of synchronous work, run as one transaction on one of a
few threads, each with a connection of its own: one hop per transaction. Every wait is bounded, every driver error
leaves as ``StoreUnavailable``, and work that lost to another transaction is done again a few times. Called by the
stores.

The threads are not a ``ThreadPoolExecutor``: a hop through its two kinds of future costs 79 µs of CPU with a point
read on SQLite in it, this one 63 µs, and 18 µs when fifty are under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast
from urllib.parse import quote

import psycopg
from sqlalchemy import ClauseElement, literal, select
from sqlalchemy.engine import URL, Dialect, make_url

from bjidp.errors import StoreUnavailable
from bjidp.storage.sql.statements import Row, Statement, Value

T = TypeVar("T")

ATTEMPTS = 5
"""How often work is done in all when other transactions keep getting in its way."""

PATIENCE = 10.0
"""Seconds a caller waits for one transaction, queueing included."""

STATEMENT_TIMEOUT = 5
"""Seconds a statement, or the wait for a lock, may take in the database."""

WAITING = 2000
"""Pieces of work that may queue; beyond it callers are turned away at once, not after their patience."""


class Contended(Exception):
    """Another transaction got in the way: the work is rolled back and done again."""


class StoreFault(Exception):
    """What a driver reported, by its code alone: a driver's own message can hold the values it choked on."""


class _Cursor(Protocol):
    rowcount: int

    def fetchone(self) -> Row | None: ...

    def fetchall(self) -> list[Row]: ...


class _Connection(Protocol):
    def execute(self, sql: str, values: Sequence[Value] = ..., /) -> _Cursor: ...

    def close(self) -> None: ...


class Transaction:
    """What a piece of work is given: the statements of one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: _Connection) -> None:
        """Run on ``connection``."""
        self._connection = connection

    def one(self, statement: Statement, values: Mapping[str, Value]) -> Row | None:
        """Return the first row, or None."""
        return self._connection.execute(statement.sql, statement.bind(values)).fetchone()

    def all(self, statement: Statement, values: Mapping[str, Value]) -> list[Row]:
        """Return every row."""
        return self._connection.execute(statement.sql, statement.bind(values)).fetchall()

    def run(self, statement: Statement, values: Mapping[str, Value]) -> int:
        """Return how many rows were written."""
        return self._connection.execute(statement.sql, statement.bind(values)).rowcount


class _Database(Protocol):
    """What differs between the two databases."""

    dialect: Dialect
    begin: str
    one_writer: bool

    def reader(self) -> _Connection | None:
        """Open a connection for reading on the event loop; None where a read means waiting for another machine."""
        ...

    def connect(self) -> _Connection: ...

    def contended(self, error: Exception) -> bool: ...

    def lost(self, error: Exception, connection: _Connection) -> bool: ...

    def code(self, error: Exception) -> str: ...


def _dialect(url: URL, paramstyle: str) -> Dialect:
    kind: Callable[..., Dialect] = url.get_dialect()
    return kind(paramstyle=paramstyle)


class _Sqlite:
    """SQLite in a file, in WAL mode."""

    begin = "BEGIN IMMEDIATE"
    # Writers of one file take turns anyway; lining up on one thread spares them SQLite's polling for the lock.
    one_writer = True

    def __init__(self, url: URL) -> None:
        if url.database is None or url.database in {"", ":memory:"}:
            raise ValueError("SQLite needs a file: every thread has a connection of its own")
        self.dialect = _dialect(url, paramstyle="qmark")
        self._path = url.database

    def connect(self) -> _Connection:
        # isolation_level=None: transactions are begun here, by name, never by the driver's guess.
        connection = sqlite3.connect(self._path, timeout=STATEMENT_TIMEOUT, isolation_level=None)
        for pragma in SQLITE_PRAGMAS:
            connection.execute(pragma)
        return cast("_Connection", connection)

    def reader(self) -> _Connection | None:
        # timeout=0: nothing that runs on the event loop waits for a lock.
        connection = sqlite3.connect(f"file:{quote(self._path)}?mode=rw", uri=True, timeout=0, isolation_level=None)
        connection.execute("PRAGMA query_only = ON")
        return cast("_Connection", connection)

    def contended(self, error: Exception) -> bool:
        return False  # a writer waited STATEMENT_TIMEOUT for its turn already

    def lost(self, error: Exception, connection: _Connection) -> bool:
        # The file was moved, the disk is full, the lock is held by another process: cheap to open anew.
        return isinstance(error, sqlite3.OperationalError)

    def code(self, error: Exception) -> str:
        return str(getattr(error, "sqlite_errorname", type(error).__name__))


SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # A login that was answered survives a power cut: 0.6 ms a commit, spent waiting, not computing.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)


class _Postgresql:
    """PostgreSQL through psycopg 3."""

    begin = "BEGIN"
    one_writer = False

    def __init__(self, url: URL) -> None:
        self.dialect = _dialect(url, paramstyle="format")
        self._args, self._options = self.dialect.create_connect_args(url)

    def connect(self) -> _Connection:
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
        return cast("_Connection", psycopg.connect(*self._args, autocommit=True, **options))

    def reader(self) -> _Connection | None:
        return None

    def contended(self, error: Exception) -> bool:
        return isinstance(error, psycopg.errors.SerializationFailure | psycopg.errors.DeadlockDetected)

    def lost(self, error: Exception, connection: _Connection) -> bool:
        return bool(cast("psycopg.Connection[Row]", connection).closed)

    def code(self, error: Exception) -> str:
        return str(getattr(error, "sqlstate", None) or type(error).__name__)


class _Job(Generic[T]):
    __slots__ = ("abandoned", "future", "loop", "work", "writes")

    def __init__(self, work: Callable[[Transaction], T], loop: asyncio.AbstractEventLoop, *, writes: bool) -> None:
        self.work = work
        self.writes = writes
        self.loop = loop
        self.future: asyncio.Future[T] = loop.create_future()
        self.abandoned = False

    def still_wanted(self) -> None:
        """Raise ``StoreUnavailable`` when the caller stopped waiting; on the thread."""
        if self.abandoned:
            raise StoreUnavailable

    def settle(self, result: T | None, error: BaseException | None) -> None:
        """Hand the outcome over; on the event loop."""
        if self.future.done():
            return
        if error is None:
            self.future.set_result(cast("T", result))
        else:
            self.future.set_exception(error)

    def expire(self) -> None:
        """Stop waiting; on the event loop."""
        self.abandoned = True
        if not self.future.done():
            self.future.set_exception(StoreUnavailable())


_Queue = queue.SimpleQueue["_Job[Any] | None"]


class SqlEngine:
    """A database behind a few threads. Start it once, close it once; in between it outlives the database's faults."""

    def __init__(self, url: str, *, threads: int = 4, patience: float = PATIENCE) -> None:
        """Prepare ``threads`` threads for ``url`` (``sqlite:///file`` or ``postgresql+psycopg://...``).

        Nothing is connected before the first transaction. Raises :class:`ValueError` for a URL of neither kind.
        """
        parsed = make_url(url)
        kinds: dict[str, Callable[[URL], _Database]] = {"sqlite": _Sqlite, "postgresql": _Postgresql}
        if parsed.get_backend_name() not in kinds or threads < 1:
            raise ValueError("the database is sqlite or postgresql, on at least one thread")
        self._database = kinds[parsed.get_backend_name()](parsed)
        self._ping = self.compile(select(literal(1)))
        self._patience = patience
        self._closed = False
        self._reader: _Connection | None = None
        self._queue: _Queue = queue.SimpleQueue()
        self._write_queue: _Queue = queue.SimpleQueue() if self._database.one_writer else self._queue
        queues = [self._queue] * threads
        if self._database.one_writer:
            queues[0] = self._write_queue
            queues += [self._queue] * (threads == 1)
        self._threads = [
            threading.Thread(target=self._serve, args=(own,), name=f"sql-{number}", daemon=True)
            for number, own in enumerate(queues)
        ]
        self._queues = queues
        for thread in self._threads:
            thread.start()

    @property
    def dialect(self) -> Dialect:
        """The dialect that statements are compiled for."""
        return self._database.dialect

    def compile(self, clause: ClauseElement, columns: Sequence[str] | None = None) -> Statement:
        """Compile a Core statement for this database; an insert asks for ``columns``, by default for all."""
        return Statement(clause, self._database.dialect, columns)

    async def look(self, work: Callable[[Transaction], T]) -> T:
        """Run work of *one* reading statement; raise ``StoreUnavailable``.

        On SQLite it runs right here: readers of a write-ahead log wait for nobody, and a point read is 4 µs of CPU, and
        52 µs by way of a thread; among sixteen logins, whose threads take the interpreter lock from each other, the
        way cost 330 µs. What does not succeed at once, for whatever reason, takes it after all, with its patience.
        """
        if self._database.one_writer and not self._closed:
            try:
                if self._reader is None:
                    self._reader = self._database.reader()
                if self._reader is not None:
                    return work(Transaction(self._reader))
            except sqlite3.Error:
                self._drop_reader()
        return await self._submit(work, self._queue, writes=False)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` as one transaction: committed when this returns, rolled back when it raises.

        Work may be done several times before it is committed once, so it changes nothing but the database.
        Raises what ``work`` raises, and ``StoreUnavailable``; after that one the work was not done, unless the
        connection was lost or patience ended in the very moment of the commit.
        """
        return await self._submit(work, self._write_queue, writes=True)

    async def ping(self) -> None:
        """Ask the database for an answer; raise ``StoreUnavailable``."""
        await self._submit(lambda transaction: transaction.one(self._ping, {}), self._queue, writes=False)

    async def close(self) -> None:
        """Finish what was begun, then close every connection; later calls raise ``StoreUnavailable``."""
        if self._closed:
            return
        self._closed = True
        self._drop_reader()
        for own in self._queues:
            own.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join, self._patience)

    def _drop_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            with contextlib.suppress(sqlite3.Error):
                reader.close()

    async def _submit(self, work: Callable[[Transaction], T], line: _Queue, *, writes: bool) -> T:
        if self._closed or line.qsize() >= WAITING:
            raise StoreUnavailable
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, writes=writes)
        timer = loop.call_later(self._patience, job.expire)
        line.put(job)
        try:
            return await job.future
        except asyncio.CancelledError:
            job.abandoned = True
            raise
        finally:
            timer.cancel()

    def _serve(self, line: _Queue) -> None:
        """Do one piece of work after another; the whole life of a thread."""
        worker = _Worker(self._database)
        while (job := line.get()) is not None:
            if job.abandoned:
                continue
            result: object = None
            error: BaseException | None = None
            try:
                result = worker.perform(job)
            except BaseException as raised:  # noqa: BLE001 - whatever it is belongs to the caller; the thread goes on
                error = raised
            try:
                job.loop.call_soon_threadsafe(job.settle, result, error)
            except RuntimeError:
                continue  # the caller's event loop is gone, and so is the caller
            finally:
                # The frame lives on while the thread waits: it must not keep the last answer alive.
                del job, result, error
        worker.disconnect()


class _Worker:
    """One thread's connection, and how a piece of work is carried through on it."""

    def __init__(self, database: _Database) -> None:
        self._database = database
        self._connection: _Connection | None = None

    def perform(self, job: _Job[T]) -> T:
        """Do the work, again where that helps; raise what it raises, or ``StoreUnavailable``."""
        fresh = False
        for _ in range(ATTEMPTS):
            if self._connection is None:
                self._connect()
                fresh = True
            connection = cast("_Connection", self._connection)
            committing = False
            try:
                if not job.writes:
                    return job.work(Transaction(connection))
                connection.execute(self._database.begin)
                result = job.work(Transaction(connection))
                job.still_wanted()
                committing = True
                connection.execute("COMMIT")
                return result
            except Contended:
                self._roll_back(job)
            except (sqlite3.Error, psycopg.Error) as error:
                lost = self._database.lost(error, connection)
                if lost:
                    self.disconnect()
                else:
                    self._roll_back(job)
                # A connection that died while idle, as after a restart of the server, deserves a second one. One
                # that dies in COMMIT does not: nobody can tell whether the work was done.
                again = self._database.contended(error) or (lost and not fresh and not committing)
                if not again:
                    raise StoreUnavailable from StoreFault(self._database.code(error))
            except BaseException:
                self._roll_back(job)
                raise
        raise StoreUnavailable(1)

    def disconnect(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (sqlite3.Error, psycopg.Error):
                return  # it was broken; it is gone now

    def _connect(self) -> None:
        try:
            self._connection = self._database.connect()
        except (sqlite3.Error, psycopg.Error) as error:
            raise StoreUnavailable from StoreFault(self._database.code(error))

    def _roll_back(self, job: _Job[T]) -> None:
        if job.writes and self._connection is not None:
            try:
                self._connection.execute("ROLLBACK")
            except (sqlite3.Error, psycopg.Error):
                # Also where BEGIN itself failed. A new connection is the one state that is certain.
                self.disconnect()
