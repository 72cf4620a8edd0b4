"""Programs that tests start, and that end with them.

Every program runs under a small shell that waits on a pipe held by pytest. When pytest ends, in whatever way, the
pipe closes and the shell stops the program: a killed test run leaves no server behind.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_GUARD = """
"$@" </dev/null >&2 &
child=$!
echo "$child"
cat >/dev/null
kill -s "$STOP_SIGNAL" "$child" 2>/dev/null
wait "$child"
"""

PORTS: Final = range(10_000, 32_000)
"""Below those that Linux gives to whoever asks for any (ip(7), ``ip_local_port_range``)."""


class ProcessFailed(Exception):
    """A program ended, or was not ready in time; the message carries the end of what it wrote."""


class Process:
    """A running program. Use it as a context manager, or call :meth:`stop`."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        stop_signal: str = "TERM",
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
        group: int | None = None,
    ) -> None:
        """Start ``command``; what it writes goes to ``log``. ``user`` and ``group`` are ids to run it as."""
        self.name = Path(command[0]).name
        self.log = log
        with log.open("ab") as written:
            self._guard = subprocess.Popen(
                ["sh", "-c", _GUARD, "guard", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=written,
                env={**(os.environ if environment is None else environment), "STOP_SIGNAL": stop_signal},
                user=user,
                group=group,
                extra_groups=None if user is None else [],
            )
        assert self._guard.stdout is not None
        self.pid = int(self._guard.stdout.readline())

    def alive(self) -> bool:
        """Tell whether the program still runs."""
        return is_running(self.pid)

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30) -> None:
        """Return when ``ready()`` is true; raise :class:`ProcessFailed` when the program ends or time is over."""

        def ready_or_ended() -> bool:
            if ready():
                return True
            if not self.alive():
                raise ProcessFailed(f"{self.name} ended by itself:\n{self.tail()}")
            return False

        try:
            wait_until(ready_or_ended, seconds)
        except TimeoutError:
            raise ProcessFailed(f"{self.name} was not ready after {seconds} s:\n{self.tail()}") from None

    def signal(self, number: int) -> None:
        """Send a signal, for example SIGSTOP to make a server that accepts but does not answer."""
        os.kill(self.pid, number)

    def stop(self, seconds: float = 20) -> None:
        """End the program and wait for it; kill it when it takes longer than ``seconds``."""
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        self._guard.stdin.close()
        try:
            self._guard.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, 9)
            self._guard.wait(seconds)
        finally:
            self._guard.stdout.close()

    def tail(self, lines: int = 30) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Return when ``true()`` is; raise :class:`TimeoutError` when time is over."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not true after {seconds} s")
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Tell whether a process runs. One that ended and was not waited for still has an entry, and does not."""
    status = _status(pid)
    return status is not None and status[0] != "Z"


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that are there."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return [child for child in pids if (status := _status(child)) is not None and status[1] == str(pid)]


def _status(pid: int) -> list[str] | None:
    """Return state, parent and what follows (proc_pid_stat(5)), or None when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def free_port() -> int:
    """Return a port that nobody listens on now. Another program may take it: start at once, and try again if so.

    It is none of those that the system gives to whoever asks for any: tests in other processes do, all the time.
    """
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", secrets.choice(PORTS)))
            return int(probe.getsockname()[1])
