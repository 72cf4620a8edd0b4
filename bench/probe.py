"""A look at the event loop of a measured process, from inside.

Not part of the product: both the server and the floor are started by a wrapper that runs this beside them. It is told
what to do by lines on standard input, and the process ends when that is closed, so a killed run leaves nothing.

A tick runs every two milliseconds while the probe watches. Whatever keeps the loop busy keeps the tick waiting, so the
time between two ticks is at most two milliseconds longer than the longest block in it. The thread's own CPU time in the
same span tells a loop that computed from one whose core was busy with somebody else.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import time
from typing import Final

TICK: Final = 0.002
MARK: Final = "bench: "


class Probe:
    """Watches the running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._last_busy = 0.0
        self._longest = 0.0
        self._longest_busy = 0.0
        self._unread = b""

    def listen(self) -> None:
        """Take orders from standard input from now on."""
        os.set_blocking(sys.stdin.fileno(), False)
        self._loop.add_reader(sys.stdin.fileno(), self._heard)
        say("ready")

    def _heard(self) -> None:
        data = os.read(sys.stdin.fileno(), 4096)
        if not data:
            self._loop.remove_reader(sys.stdin.fileno())
            os.kill(os.getpid(), signal.SIGTERM)
            return
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._obey(line.decode())

    def _obey(self, order: str) -> None:
        match order:
            case "watch":
                self._longest = self._longest_busy = 0.0
                self._last, self._last_busy = time.perf_counter(), time.thread_time()
                self._timer = self._loop.call_later(TICK, self._tick)
                say("watching")
            case "tell":
                if self._timer is not None:
                    self._timer.cancel()
                say(json.dumps({"longest": self._longest, "busy": self._longest_busy}))
            case "collect":
                # What is garbage already is nobody's memory.
                gc.collect()
                say("collected")
            case _:
                raise ValueError(order)

    def _tick(self) -> None:
        now, busy = time.perf_counter(), time.thread_time()
        self._longest = max(self._longest, now - self._last)
        self._longest_busy = max(self._longest_busy, busy - self._last_busy)
        self._last, self._last_busy = now, busy
        self._timer = self._loop.call_later(TICK, self._tick)


def say(word: str) -> None:
    """Answer whoever gave the order: the mark tells an answer from what else a process writes."""
    sys.stdout.write(f"{MARK}{word}\n")
    sys.stdout.flush()
