"""Threads, connections, transactions and failures of a SQL database.

Owns the only way this package reaches a database: a piece of synchronous work, run as one transaction. Any work may
run on one of a few threads, each with a connection of its own: one hop per transaction. What is short takes a shorter
way: ``one``, ``all`` and ``write_one`` for one statement, ``write_briefly`` for a few. Every wait is bounded, every
driver error leaves as ``StoreUnavailable``, and work that lost to another transaction is done again a few times. Called
by the stores.

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
from typing import Any, TypeAlias, TypeVar, cast

import psycopg
from sqlalchemy import ClauseElement, literal, select
from sqlalchemy.engine import URL, Dialect, make_url

from bjidp.errors import StoreUnavailable
from bjidp.storage.sql.databases import STATEMENT_TIMEOUT, Database, Postgresql, Sqlite
from bjidp.storage.sql.jobs import Job
from bjidp.storage.sql.line import Line, LineLost, LineUnavailable, Pool
from bjidp.storage.sql.statements import Row, Statement, Value
from bjidp.storage.sql.together import Together
from bjidp.storage.sql.transaction import Answer, Connection, Contended, StoreFault, Transaction

T = TypeVar("T")

ATTEMPTS = 5
"""How often work is done in all when other transactions keep getting in its way."""

PATIENCE = 10.0
"""Seconds a caller waits for one transaction, queueing included."""

WAITING = 2000
"""Pieces of work that may queue; beyond it callers are turned away at once, not after their patience."""

_Queue: TypeAlias = "queue.SimpleQueue[Job[Any] | None]"


class SqlEngine:
    """A database behind a few threads. Start it once, close it once; in between it outlives the database's faults."""

    def __init__(self, url: str, *, threads: int = 4, patience: float = PATIENCE) -> None:
        """Prepare ``threads`` threads for ``url`` (``sqlite:///file`` or ``postgresql+psycopg://...``).

        Nothing is connected before the first transaction. Raises :class:`ValueError` for a URL of neither kind.
        """
        parsed = make_url(url)
        kinds: dict[str, Callable[[URL], Database]] = {"sqlite": Sqlite, "postgresql": Postgresql}
        if parsed.get_backend_name() not in kinds or threads < 1:
            raise ValueError("the database is sqlite or postgresql, on at least one thread")
        self._database = kinds[parsed.get_backend_name()](parsed)
        self._ping = self.compile(select(literal(1)))
        self._patience = patience
        self._closed = False
        self._reader: Connection | None = None
        self._looking: Transaction | None = None
        self._line: Line | None = None
        self._pool: Pool | None = None
        connect = self._database.elsewhere()
        if connect is not None:
            self._line = Line(connect, STATEMENT_TIMEOUT)
            self._pool = Pool([Line(connect, STATEMENT_TIMEOUT) for _ in range(threads)], patience)
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
        self._together = Together(self._database, self._write_queue.put) if isinstance(self._database, Sqlite) else None
        for thread in self._threads:
            thread.start()

    @property
    def writes_at_once(self) -> bool:
        """Whether one statement may write in several places, and :meth:`write_at_once` is to be called for it."""
        return self._pool is not None

    @property
    def dialect(self) -> Dialect:
        """The dialect that statements are compiled for."""
        return self._database.dialect

    def compile(self, clause: ClauseElement, columns: Sequence[str] | None = None) -> Statement:
        """Compile a Core statement for this database; an insert asks for ``columns``, by default for all."""
        return Statement(clause, self._database.dialect, columns)

    async def one(self, statement: Statement, values: Mapping[str, Value]) -> Row | None:
        """Return the first row of a reading statement, or None; see :meth:`all`."""
        if self._database.one_writer and not self._closed:
            try:
                return self._here().one(statement, values)
            except sqlite3.Error:
                self._drop_reader()
        if self._line is not None:
            rows = await self._asked(self._line, statement, values)
            if rows is not None:
                return rows[0] if rows else None
        return await self._look(lambda transaction: transaction.one(statement, values))

    async def all(self, statement: Statement, values: Mapping[str, Value]) -> list[Row]:
        """Return every row of a reading statement; raise ``StoreUnavailable``.

        On SQLite it runs right here: readers of a write-ahead log wait for nobody, and a point read is 4 µs of CPU, and
        52 µs by way of a thread; among sixteen logins, whose threads take the interpreter lock from each other, the
        way cost 330 µs. What does not succeed at once, for whatever reason, takes it after all, with its patience.
        """
        if self._database.one_writer and not self._closed:
            try:
                return self._here().all(statement, values)
            except sqlite3.Error:
                self._drop_reader()
        if self._line is not None:
            rows = await self._asked(self._line, statement, values)
            if rows is not None:
                return rows
        return await self._look(lambda transaction: transaction.all(statement, values))

    async def write_one(self, statement: Statement, values: Mapping[str, Value]) -> Answer:
        """Run one statement that writes a few rows, as a transaction by itself; see :meth:`write`.

        On PostgreSQL it takes no thread: for a login of five statements, each a way to the server and back, threads
        took 0.8 ms of CPU among sixteen logins, and one statement on the event loop takes 0.05 ms. On SQLite it goes
        the way of :meth:`write_briefly`.
        """
        if self._pool is not None and not self._closed:
            try:
                return await self._pool.ask(statement.sql, statement.bind(values))
            except LineUnavailable:
                pass
            except LineLost as error:
                raise StoreUnavailable from error
        return await self.write_briefly(lambda transaction: transaction.answer(statement, values))

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` as one transaction: committed when this returns, rolled back when it raises.

        Work may be done several times before it is committed once, so it changes nothing but the database.
        Raises what ``work`` raises, :class:`ValueError` for a value the database cannot hold, and ``StoreUnavailable``;
        after that one the work was not done, unless the connection was lost or patience ended in the very moment of the
        commit.
        """
        return await self._submit(work, self._write_queue.put, self._write_queue.qsize, writes=True)

    async def write_briefly(self, work: Callable[[Transaction], T]) -> T:
        """Do as :meth:`write` does, for work of a few point statements, such as a login's.

        On SQLite it runs on the event loop and is committed together with what else was written meanwhile
        (:mod:`bjidp.storage.sql.together`).
        """
        if self._together is None:
            return await self.write(work)
        return await self._submit(work, self._together.add, self._together.waiting, writes=True)

    async def opened(self) -> None:
        """Connect what is asked on the event loop; otherwise that happens while threads do the first work."""
        for line in (self._line, self._pool):
            if line is not None:
                await line.opened()

    async def ping(self) -> None:
        """Ask the database for an answer; raise ``StoreUnavailable``."""
        await self._look(lambda transaction: transaction.one(self._ping, {}))

    async def close(self) -> None:
        """Finish what was begun, then close every connection; later calls raise ``StoreUnavailable``."""
        if self._closed:
            return
        self._closed = True
        self._drop_reader()
        if self._together is not None:
            await self._together.close()
        for line in (self._line, self._pool):
            if line is not None:
                await line.close()
        for own in self._queues:
            own.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join, self._patience)

    def _here(self) -> Transaction:
        if self._looking is None:
            self._reader = self._database.reader()
            self._looking = Transaction(cast("Connection", self._reader))
        return self._looking

    async def _asked(self, line: Line, statement: Statement, values: Mapping[str, Value]) -> list[Row] | None:
        if not self._closed:
            # A read may be repeated, however far it came.
            with contextlib.suppress(LineUnavailable, LineLost):
                return (await line.ask(statement.sql, statement.bind(values))).rows
        return None

    async def _look(self, work: Callable[[Transaction], T]) -> T:
        return await self._submit(work, self._queue.put, self._queue.qsize, writes=False)

    def _drop_reader(self) -> None:
        reader, self._reader, self._looking = self._reader, None, None
        if reader is not None:
            with contextlib.suppress(sqlite3.Error):
                reader.close()

    async def _submit(
        self,
        work: Callable[[Transaction], T],
        put: Callable[[Job[T]], None],
        waiting: Callable[[], int],
        *,
        writes: bool,
    ) -> T:
        if self._closed or waiting() >= WAITING:
            raise StoreUnavailable
        loop = asyncio.get_running_loop()
        job = Job(work, loop, writes=writes)
        timer = loop.call_later(self._patience, job.expire)
        put(job)
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

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def perform(self, job: Job[T]) -> T:
        """Do the work, again where that helps; raise what it raises, or ``StoreUnavailable``."""
        fresh = False
        for _ in range(ATTEMPTS):
            if self._connection is None:
                self._connect()
                fresh = True
            connection = cast("Connection", self._connection)
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
                if self._database.misfit(error):
                    raise ValueError("a value that the database cannot hold") from StoreFault(
                        self._database.code(error)
                    )
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

    def _roll_back(self, job: Job[T]) -> None:
        if job.writes and self._connection is not None:
            try:
                self._connection.execute("ROLLBACK")
            except (sqlite3.Error, psycopg.Error):
                # Also where BEGIN itself failed. A new connection is the one state that is certain.
                self.disconnect()
