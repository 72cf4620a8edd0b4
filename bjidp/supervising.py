"""Several processes of one program: started, watched, started again when they die, and ended together.

Owns what is done about a process that ends. Called by ``serving``; knows nothing of what the processes do, but that
each writes one byte to a pipe when it serves.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence

import structlog
from msgspec import Struct

log = structlog.get_logger(__name__)


class Patience(Struct, frozen=True, kw_only=True):
    """How long is waited, in seconds."""

    first: float = 1.0
    """Before a worker that died is started again: a fault at start does not spin."""
    longest: float = 60.0
    """The same, after it died again and again: each pause is twice the one before."""
    settled: float = 60.0
    """A worker that has served for so long is started again after the first pause."""
    drain: float = 15.0
    """What a worker that was told to end may take; then it is killed."""


class WorkerFailed(Exception):
    """A worker ended before it had ever served. It has said itself why; ``code`` is what it ended with."""

    def __init__(self, code: int) -> None:
        """Pass its code on."""
        super().__init__(f"a worker ended before it served, with code {code}")
        self.code = code


async def supervise(
    command: Callable[[int], Sequence[str]], count: int, stop: asyncio.Event, patience: Patience | None = None
) -> None:
    """Keep ``count`` workers running until ``stop``, then end them.

    ``command`` returns the program and arguments of a worker, given the number of the file descriptor that it writes
    its byte to. Raises :class:`WorkerFailed`, having ended all, when a worker ends that never served: another try
    would end in the same way.
    """
    told = asyncio.create_task(stop.wait())
    workers = [asyncio.create_task(_Worker(command, patience or Patience()).keep()) for _ in range(count)]
    try:
        await asyncio.wait([told, *workers], return_when=asyncio.FIRST_COMPLETED)
    finally:
        failed = [worker for worker in workers if worker.done()]
        for task in (told, *workers):
            task.cancel()
        await asyncio.gather(told, *workers, return_exceptions=True)
    if not stop.is_set():
        for worker in failed:
            worker.result()


class _Worker:
    """The place of one worker, whichever process fills it."""

    def __init__(self, command: Callable[[int], Sequence[str]], patience: Patience) -> None:
        self._command = command
        self._patience = patience
        self._has_served = False

    async def keep(self) -> None:
        loop = asyncio.get_running_loop()
        pause = self._patience.first
        while True:
            started = loop.time()
            code = await self._run()
            if not self._has_served:
                raise WorkerFailed(code)
            if loop.time() - started >= self._patience.settled:
                pause = self._patience.first
            log.error("worker_ended", code=code, again_in=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._patience.longest)

    async def _run(self) -> int:
        """Run one process to its end; return its exit code."""
        reading, writing = os.pipe()
        try:
            try:
                process = await asyncio.create_subprocess_exec(*self._command(writing), pass_fds=(writing,))
            finally:
                # The worker's end is its own alone, so that the pipe ends with it.
                os.close(writing)
            try:
                if await _has_byte(reading):
                    self._has_served = True
                return await process.wait()
            finally:
                await self._end(process)
        finally:
            os.close(reading)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._patience.drain)
        except TimeoutError:
            log.error("worker_killed", seconds=self._patience.drain)  # noqa: TRY400 - there is nothing to trace
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _has_byte(reading: int) -> bool:
    """Wait for a byte, or for the end of the pipe; tell which it was."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(reading, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(reading)
    return bool(os.read(reading, 1))
