"""One piece of work on its way, and the caller who waits for it.

Owns how an outcome reaches the caller, how long a caller waits, and how many may. Called by ``threads`` and
``group_commit``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, Generic, Protocol, TypeVar, cast

from bjidp.errors import StoreUnavailable
from bjidp.storage.sql.database.transaction import Transaction

T = TypeVar("T")

PATIENCE: Final = 10.0
"""Seconds a caller waits for one transaction, queueing included."""

WAITING: Final = 2000
"""Pieces of work that may queue; beyond it callers are turned away at once, not after their patience."""


class Job(Generic[T]):
    """A piece of work, and the future its caller waits for."""

    __slots__ = ("abandoned", "future", "loop", "work", "writes")

    def __init__(self, work: Callable[[Transaction], T], loop: asyncio.AbstractEventLoop, *, writes: bool) -> None:
        """Let a caller on ``loop`` wait for ``work``; ``writes`` if it needs a transaction."""
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


class Queue(Protocol):
    """Where jobs wait for their turn."""

    def waiting(self) -> int:
        """Return how many do."""
        ...

    def add(self, job: Job[Any]) -> None:
        """Take ``job``; settle it some time."""
        ...


async def outcome(queue: Queue, work: Callable[[Transaction], T], patience: float, *, writes: bool) -> T:
    """Let ``work`` wait in ``queue``, and return what comes of it; raise ``StoreUnavailable`` after ``patience``."""
    if queue.waiting() >= WAITING:
        raise StoreUnavailable
    loop = asyncio.get_running_loop()
    job = Job(work, loop, writes=writes)
    timer = loop.call_later(patience, job.expire)
    queue.add(job)
    try:
        return await job.future
    except asyncio.CancelledError:
        job.abandoned = True
        raise
    finally:
        timer.cancel()
