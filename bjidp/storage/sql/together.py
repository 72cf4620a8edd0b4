"""Short writes of a SQLite file, run on the event loop and committed together.

Owns group commit. A write is cheap to compute and slow to make durable: its statements take some 50 µs, the wait for
the disk 0.6 ms or ten, and the way to a thread and back costs as much CPU as the statements, several times that when
the loop is busy, since the two take the interpreter lock from each other at every statement. So the statements run on
the loop, several callers' in one transaction, and one thread commits, which lets go of the lock while the disk is
waited for. Nobody is told of a success before the commit has returned.

What does not go through at once (another process holds the lock, one of the works raises) is rolled back and goes the
way of ``SqlEngine.write`` after all, each work in a transaction of its own, as if this module were not there. Made by
``engine``.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from bjidp.errors import StoreUnavailable
from bjidp.storage.sql.databases import Database
from bjidp.storage.sql.jobs import Job
from bjidp.storage.sql.transaction import Connection, StoreFault, Transaction

PACE: Final = 0.02
"""Seconds from one commit to the next: the first one goes at once, those that come meanwhile share the next."""

MOST: Final = 32
"""Works in one transaction: the loop is held for as long as all of them take."""


class _Batch(NamedTuple):
    connection: Connection
    jobs: list[Job[Any]]
    results: list[object]


class Together:
    """The line of short writes. Everything but :meth:`_commit_all` runs on the event loop."""

    def __init__(self, database: Database, otherwise: Callable[[Job[Any]], None]) -> None:
        """Write to ``database``; give ``otherwise`` what has to be done in another way."""
        self._database = database
        self._otherwise = otherwise
        self._line: list[Job[Any]] = []
        self._timer: asyncio.Handle | None = None
        self._connection: Connection | None = None
        self._committing = False
        self._next_at = 0.0
        self._idle = asyncio.Event()
        self._idle.set()
        self._commits: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._commit_all, name="sql-commit", daemon=True)
        self._thread.start()

    def waiting(self) -> int:
        """Return how many works wait for their turn."""
        return len(self._line)

    def add(self, job: Job[Any]) -> None:
        """Take ``job`` into the next transaction."""
        self._line.append(job)
        self._arrange(job.loop)

    async def close(self) -> None:
        """Finish what was begun, then end; nothing is added any more."""
        await self._idle.wait()
        self._commits.put(None)
        await asyncio.to_thread(self._thread.join)
        self._drop()

    def _arrange(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._committing or self._timer is not None:
            return
        if not self._line:
            self._idle.set()
            return
        self._idle.clear()
        wait = self._next_at - loop.time()
        self._timer = loop.call_later(wait, self._run, loop) if wait > 0 else loop.call_soon(self._run, loop)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        turn, self._line = self._line[:MOST], self._line[MOST:]
        jobs = [job for job in turn if not job.abandoned]
        results = self._results(jobs) if jobs else []
        if results is None or self._connection is None:
            for job in jobs:
                self._otherwise(job)
            self._arrange(loop)
            return
        self._committing = True
        self._next_at = loop.time() + PACE
        self._commits.put(_Batch(self._connection, jobs, results))

    def _results(self, jobs: list[Job[Any]]) -> list[object] | None:
        """Run everybody's statements in one transaction that is left open; None when that did not work."""
        try:
            if self._connection is None:
                self._connection = self._database.connect_loop()
            if self._connection is None:
                return None
            self._connection.execute(self._database.begin)
        except sqlite3.Error:
            self._drop()
            return None
        transaction = Transaction(self._connection)
        try:
            return [job.work(transaction) for job in jobs]
        except Exception:  # noqa: BLE001 - whose fault it was, and what it means, is found out one by one
            self._roll_back()
            return None

    def _roll_back(self) -> None:
        try:
            if self._connection is not None:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _commit_all(self) -> None:
        """Commit one transaction after another; the whole life of the thread."""
        while (batch := self._commits.get()) is not None:
            error: sqlite3.Error | None = None
            try:
                batch.connection.execute("COMMIT")
            except sqlite3.Error as raised:
                error = raised
            with contextlib.suppress(RuntimeError):  # the callers' loop is gone, and so are they
                batch.jobs[0].loop.call_soon_threadsafe(self._committed, batch, error)

    def _committed(self, batch: _Batch, error: sqlite3.Error | None) -> None:
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
        self._arrange(batch.jobs[0].loop)
