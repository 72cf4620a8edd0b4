"""Threads that do pieces of work for the event loop, each on a connection of its own.

Owns how a transaction is carried through: begun, committed or rolled back, done again where that helps, and every
driver's error told as ``StoreUnavailable``. Called by ``sqlite`` and ``postgresql``.

The threads are not a ``ThreadPoolExecutor``: a hop through its two kinds of future costs 79 µs of CPU with a point
read on SQLite in it, this one 63 µs, and 18 µs when fifty are under way.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import psycopg

from bjidp.errors import StoreUnavailable
from bjidp.storage.sql.database.dialects import Database
from bjidp.storage.sql.database.jobs import Job, outcome
from bjidp.storage.sql.database.transaction import Connection, Contended, StoreFault, Transaction

T = TypeVar("T")

ATTEMPTS: Final = 5
"""How often work is done in all when other transactions keep getting in its way."""


class Threads:
    """A few threads before one queue. Nothing is connected before the first work."""

    def __init__(self, database: Database, name: str, count: int, patience: float) -> None:
        """Start ``count`` threads on ``database``; whoever brings work waits ``patience`` seconds at most."""
        self._database = database
        self._patience = patience
        self._closed = False
        self._queue: queue.SimpleQueue[Job[Any] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"{name}-{number}", daemon=True) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` without a transaction around it; raise ``StoreUnavailable``."""
        return await self._run(work, writes=False)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` as one transaction; see :meth:`bjidp.storage.sql.database.engine.SqlEngine.write`."""
        return await self._run(work, writes=True)

    def waiting(self) -> int:
        """Return how much work waits for a thread."""
        return self._queue.qsize()

    def add(self, job: Job[Any]) -> None:
        """Take a job that somebody waits for elsewhere."""
        self._queue.put(job)

    async def close(self) -> None:
        """Finish what was begun, then close every connection; later calls raise ``StoreUnavailable``."""
        if self._closed:
            return
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join, self._patience)

    async def _run(self, work: Callable[[Transaction], T], *, writes: bool) -> T:
        if self._closed:
            raise StoreUnavailable
        return await outcome(self, work, self._patience, writes=writes)

    def _serve(self) -> None:
        """Do one piece of work after another; the whole life of a thread."""
        worker = _Worker(self._database)
        while (job := self._queue.get()) is not None:
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
        if not job.writes:
            return self._performed(job)
        with self._database.turns:
            return self._performed(job)

    def _performed(self, job: Job[T]) -> T:
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
