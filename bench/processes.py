"""The processes that are measured, and what the kernel says of them."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Final

from bench.probe import MARK

PATIENCE: Final = 60.0
"""Seconds a process may take to start, or to do what it was told."""

PAGE: Final = resource.getpagesize()


class Measured:
    """A Python module that runs as a process of its own and takes orders by the line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, module: str, *arguments: str | Path) -> Measured:
        """Start ``python -m module`` and wait until it says that it is ready."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        measured = cls(process)
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

    def cpu(self) -> float:
        """Return the seconds of CPU the process has used, system time and all threads included."""
        # clock_getcpuclockid(3): nanoseconds, where /proc counts in hundredths of a second.
        return time.clock_gettime((~self._process.pid << 3) | 2)

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

    async def _heard(self, expected: str | None) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := (await self._process.stdout.readline()).decode():
                if line.startswith(MARK) and (expected is None or line == f"{MARK}{expected}\n"):
                    return line.removeprefix(MARK).strip()
        raise RuntimeError("a measured process ended by itself; what it wrote is above")
