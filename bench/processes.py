"""The processes that are measured, and what the kernel says of them."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Final

from bench.probe import MARK

PATIENCE: Final = 60.0
"""Seconds a process may take to start, or to do what it was told."""

PAGE: Final = resource.getpagesize()

TAIL: Final = 4000
"""Bytes of what a process has logged that are shown when it fails."""

REST: Final = 0.04
"""Share of a core below which a process has come to rest: a thousand pages that wait take 0.005."""


class Measured:
    """A Python module that runs as a process of its own and takes orders by the line."""

    def __init__(self, process: asyncio.subprocess.Process, log: IO[bytes]) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, module: str, *arguments: str | Path) -> Measured:
        """Start ``python -m module`` and wait until it says that it is ready."""
        return await cls.run(sys.executable, "-m", module, *arguments)

    @classmethod
    async def run(cls, *command: str | Path) -> Measured:
        """Start a program and wait until it says that it is ready."""
        # A file that is gone with the processes: what is logged is read by nobody, and a full pipe would stop a server.
        log = tempfile.TemporaryFile()  # noqa: SIM115 - it is open for as long as the process is
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        measured = cls(process, log)
        await measured._heard("ready")
        return measured

    async def tell(self, order: str) -> str:
        """Give an order and return the line it is answered with."""
        assert self._process.stdin is not None
        self._process.stdin.write(order.encode() + b"\n")
        return await self._heard(None)

    async def watch(self) -> None:
        """Begin to look for blocks of the event loop."""
        await self.tell("watch")

    async def longest_block(self) -> tuple[float, float]:
        """Return the longest block since :meth:`watch` in seconds, and the most the loop computed without a pause."""
        told = json.loads(await self.tell("tell"))
        return float(told["longest"]), float(told["busy"])

    async def rest(self, step: float = 0.05) -> None:
        """Return once it has had nothing to do for ``step`` seconds: what a request left to a thread is done."""
        async with asyncio.timeout(PATIENCE):
            share = 1.0
            while share > REST:
                before, begun = self.cpu(), time.perf_counter()
                await asyncio.sleep(step)
                share = (self.cpu() - before) / (time.perf_counter() - begun)

    def cpu(self) -> float:
        """Return the seconds of CPU the process has used, system time and all threads included."""
        # clock_getcpuclockid(3): nanoseconds, where /proc counts in hundredths of a second.
        return time.clock_gettime((~self._process.pid << 3) | 2)

    def loop_cpu(self) -> float:
        """Return the seconds of CPU its first thread has used, where the event loop runs; exact while that sleeps."""
        # proc_pid_schedstat(5): nanoseconds, as of the last time the thread was put on or off a core.
        pid = self._process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9

    def memory(self) -> int:
        """Return the bytes of memory the process occupies."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * PAGE

    async def stop(self) -> None:
        """End it, by closing what it listens to."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._log.close()

    async def _heard(self, expected: str | None) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := (await self._process.stdout.readline()).decode():
                if line.startswith(MARK) and (expected is None or line == f"{MARK}{expected}\n"):
                    return line.removeprefix(MARK).strip()
        self._log.seek(max(0, self._log.seek(0, 2) - TAIL))
        raise RuntimeError(f"a measured process ended by itself:\n{self._log.read().decode(errors='replace')}")
