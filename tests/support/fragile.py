"""Servers that a test kills, as the failure of a machine does, and starts again; the demo's sandbox is beside them.

What they keep is where their settings say. All of them have one base URL, that of the first.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bjidp.storage.sql.migrations import migrate
from tests.support.demo import PATIENCE, Demo
from tests.support.house import is_ready, serve, write_config
from tests.support.processes import Process, free_port, wait_until


class Fragile:
    """One or more servers, by number."""

    def __init__(self, demo: Demo, folder: Path, storage: Mapping[str, object], servers: int, stack: ExitStack) -> None:
        """Use :func:`fragile`."""
        self.sandbox = demo.sandbox
        self._folder = folder
        self._stack = stack
        self._ports = [free_port() for _ in range(servers)]
        self.server = f"http://127.0.0.1:{self._ports[0]}"
        self.addresses = [f"http://127.0.0.1:{port}" for port in self._ports]
        self._configs = [
            write_config(
                demo,
                folder / f"server-{port}.toml",
                # No simulator: nobody scans anything here.
                {demo.server: self.server, f'simulator_url = "{demo.sandbox}"': ""},
                {"server": {"listen_port": port}, "storage": storage},
            )
            for port in self._ports
        ]
        migrate(str(storage["database_url"]))
        self._running = [self._start(number) for number in range(servers)]
        self.await_all()

    @property
    def config(self) -> Path:
        """The configuration of the first, whose database is everybody's."""
        return self._configs[0]

    @property
    def log(self) -> bytes:
        """Everything that they have logged."""
        return b"".join(path.read_bytes() for path in sorted(self._folder.glob("server-*.log")))

    def kill(self, number: int = 0) -> None:
        """Let a server end at once, as when its machine does."""
        _kill(self._running[number])

    def restart(self, number: int = 0) -> None:
        """Kill a server and have it back."""
        self.kill(number)
        self._running[number] = self._start(number)
        self.await_all()

    def await_all(self) -> None:
        """Return when every server that was started is ready."""
        for port, process in zip(self._ports, self._running, strict=True):
            process.wait_until(partial(is_ready, port, self.server), PATIENCE)

    def _start(self, number: int) -> Process:
        process = serve(self._configs[number], self._folder / f"server-{number}.log", sandbox=self.sandbox)
        self._stack.callback(process.stop)
        self._stack.callback(_kill, process)
        return process


def _kill(process: Process) -> None:
    if process.alive():
        process.signal(signal.SIGKILL)
        wait_until(lambda: not process.alive())


@contextmanager
def fragile(demo: Demo, folder: Path, storage: Mapping[str, object], *, servers: int = 1) -> Iterator[Fragile]:
    """Run servers on the stores that ``storage`` names, which are empty."""
    with ExitStack() as stack:
        yield Fragile(demo, folder, storage, servers, stack)
