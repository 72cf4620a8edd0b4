"""Several processes of one program: started, watched, started again when they die, and ended together.

Owns what is done about a process that ends, the supervising one included. Called by ``server``, on both sides: by the
process that supervises, and by a worker of itself. Between them is a pair of sockets. The worker writes one byte when
it serves; what else it does is not known here. When the supervisor ends, in whatever way, the kernel closes its end,
and the worker ends too: nobody would start it again, and nobody could tell it to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
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


class Supervisor:
    """The supervisor, as a worker knows it."""

    def __init__(self, descriptor: int) -> None:
        """Take over the file descriptor that the worker's command was given."""
        self._line = socket.socket(fileno=descriptor)
        self._line.settimeout(0)

    def tell(self, gone: Callable[[], None]) -> None:
        """Say that the worker serves; call ``gone``, once, when the supervisor ends or has ended already."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            # What has ended stays readable.
            loop.remove_reader(self._line)
            gone()

        with contextlib.suppress(ConnectionError):
            self._line.send(b".")
        loop.add_reader(self._line, look)

    def close(self) -> None:
        """Watch no longer."""
        asyncio.get_running_loop().remove_reader(self._line)
        self._line.close()


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
        # Each end is in one process alone, so that it is closed when that process ends.
        line, theirs = socket.socketpair()
        with line:
            with theirs:
                number = theirs.fileno()
                process = await asyncio.create_subprocess_exec(*self._command(number), pass_fds=(number,))
            try:
                line.settimeout(0)
                if await _has_byte(line):
                    self._has_served = True
                return await process.wait()
            finally:
                await self._end(process)

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


async def _has_byte(line: socket.socket) -> bool:
    """Wait for a byte, or for the other end to be closed; tell which it was."""
    try:
        return bool(await asyncio.get_running_loop().sock_recv(line, 1))
    except ConnectionError:
        return False
