"""One piece of work on its way, and the caller who waits for it.

Owns how an outcome reaches the caller, and how a caller stops waiting. Called by ``engine`` and ``together``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from bjidp.errors import StoreUnavailable
from bjidp.storage.sql.transaction import Transaction

T = TypeVar("T")


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
