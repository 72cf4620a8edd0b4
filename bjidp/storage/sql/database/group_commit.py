"""Short writes of a SQLite file, run on the event loop and committed together.

Owns group commit. A write is cheap to compute and slow to make durable: its statements take some 50 µs, the wait for
the disk 0.6 ms or ten, and the way to a thread and back costs as much CPU as the statements, several times that when
the loop is busy, since the two take the interpreter lock from each other at every statement. So the statements run on
the loop, several callers' in one transaction, and one thread commits, which lets go of the lock while the disk is
waited for. Nobody is told of a success before the commit has returned.

A work that raises is found out in a transaction of its own, on the thread that writes; the others of its turn are run
again at once. The thread's turn (``turns``), and a lock that another process holds, are waited for by coming back,
never on the loop. Made by ``sqlite``.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from bjidp.errors import StoreUnavailable
from bjidp.storage.sql.database.dialects import Sqlite
from bjidp.storage.sql.database.jobs import Job, outcome
from bjidp.storage.sql.database.transaction import Connection, StoreFault, Transaction

T = TypeVar("T")

PACE: Final = 0.02
"""Seconds from one commit to the next: the first one goes at once, those that come meanwhile share the next."""

LOCKED: Final = 0.005
"""Seconds until the next look when somebody else is writing."""

MOST: Final = 32
"""Works in one transaction: the loop is held for as long as all of them take."""


class _Batch(NamedTuple):
    connection: Connection
    loop: asyncio.AbstractEventLoop
    jobs: list[Job[Any]]
    results: list[object]


class _Locked(Exception):
    """Somebody else is writing."""


class GroupCommit:
    """The queue of short writes. Everything but :meth:`_commit_all` runs on the event loop."""

    def __init__(self, database: Sqlite, otherwise: Callable[[Job[Any]], None], patience: float) -> None:
        """Write to ``database``; give ``otherwise`` what has to be done in a transaction of its own.

        Whoever brings work waits ``patience`` seconds at most.
        """
        self._database = database
        self._otherwise = otherwise
        self._patience = patience
        self._closed = False
        self._queue: list[Job[Any]] = []
        self._timer: asyncio.Handle | None = None
        self._connection: Connection | None = None
        self._committing = False
        self._next_at = 0.0
        self._idle = asyncio.Event()
        self._idle.set()
        self._commits: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._commit_all, name="sql-commit", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in a transaction that it shares; see ``SqlEngine.write_briefly``."""
        if self._closed:
            raise StoreUnavailable
        return await outcome(self, work, self._patience, writes=True)

    def waiting(self) -> int:
        """Return how many works wait for their turn."""
        return len(self._queue)

    def add(self, job: Job[Any]) -> None:
        """Take ``job`` into the next transaction."""
        self._queue.append(job)
        self._arrange(job.loop)

    async def close(self) -> None:
        """Finish what was begun, then end; later calls raise ``StoreUnavailable``."""
        if self._closed:
            return
        self._closed = True
        await self._idle.wait()
        self._commits.put(None)
        await asyncio.to_thread(self._thread.join)
        self._drop()

    def _arrange(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._committing or self._timer is not None:
            return
        if not self._queue:
            self._idle.set()
            return
        self._idle.clear()
        wait = self._next_at - loop.time()
        self._timer = loop.call_later(wait, self._run, loop) if wait > 0 else loop.call_soon(self._run, loop)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        turn, self._queue = self._queue[:MOST], self._queue[MOST:]
        # Whoever stopped waiting is not written; when all have, there is nothing to commit.
        jobs = [job for job in turn if not job.abandoned]
        batch = self._batch(loop, jobs)
        if batch is None:
            self._arrange(loop)
            return
        self._committing = True
        self._next_at = loop.time() + PACE
        self._commits.put(batch)

    def _batch(self, loop: asyncio.AbstractEventLoop, jobs: list[Job[Any]]) -> _Batch | None:
        """Return what is ready to be committed, and keep the turn for it; None when that is nothing."""
        batch: _Batch | None = None
        taken = self._database.turns.take()
        try:
            if not taken:
                raise _Locked  # noqa: TRY301 - by the thread that writes, as it may be by another process
            batch = self._begun(loop, jobs)
        except _Locked:
            self._queue = jobs + self._queue
            self._next_at = loop.time() + LOCKED
        except sqlite3.Error:
            # The database is away, or broken: what is wrong is told where it is asked with patience.
            self._drop()
            for job in jobs:
                self._otherwise(job)
        finally:
            if taken and batch is None:
                self._database.turns.give_back()
        return batch

    def _begun(self, loop: asyncio.AbstractEventLoop, jobs: list[Job[Any]]) -> _Batch | None:
        """Run everybody's statements in one transaction that is left open; None when there is nothing to commit.

        Raises :class:`_Locked` and the driver's errors; whose work it was that raised anything is sent elsewhere.
        """
        while jobs:
            connection = self._begin()
            transaction = Transaction(connection)
            results: list[object] = []
            try:
                for job in jobs:
                    results.append(job.work(transaction))  # noqa: PERF401 - how many there are tells whose turn it was
            except Exception:  # noqa: BLE001 - what it means is found out in a transaction of its own
                connection.execute("ROLLBACK")
                self._otherwise(jobs.pop(len(results)))
            else:
                return _Batch(connection, loop, jobs, results)
        return None

    def _begin(self) -> Connection:
        try:
            connection = self._connection or self._database.connect_loop()
            self._connection = connection
            connection.execute(self._database.begin)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise _Locked from None
            raise
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _commit_all(self) -> None:
        """Commit one transaction after another; the whole life of the thread."""
        while (batch := self._commits.get()) is not None:
            error: Exception | None = None
            try:
                batch.connection.execute("COMMIT")
            except Exception as raised:  # noqa: BLE001 - whatever it is belongs to the callers; the thread goes on
                error = raised
            self._database.turns.give_back()
            with contextlib.suppress(RuntimeError):  # the callers' loop is gone, and so are they
                batch.loop.call_soon_threadsafe(self._committed, batch, error)
            # The frame lives on while the thread waits: it must not keep what was written alive.
            del batch, error

    def _committed(self, batch: _Batch, error: Exception | None) -> None:
        self._committing = False
        if error is None:
            for job, result in zip(batch.jobs, batch.results, strict=True):
                job.settle(result, None)
        else:
            # Nobody can tell how far it came; a new connection is the one state that is certain.
            self._drop()
            for job in batch.jobs:
                failure = StoreUnavailable()
                failure.__cause__ = StoreFault(self._database.code(error))
                job.settle(None, failure)
        self._arrange(batch.loop)
