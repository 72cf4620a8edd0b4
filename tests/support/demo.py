"""The demo as people start it: a program of its own, with its own ports and its own data.

One runs for the whole test run; tests share it as people share a site, each with persons of its own.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import Process, ProcessFailed, free_port

PATIENCE = 90
"""Seconds for server, sandbox and portal to answer, on a machine that is busy with other things."""
PORTS = 3


class Demo:
    """A running demo."""

    def __init__(self, folder: Path) -> None:
        """Start it on three free ports in a row, with its data in ``folder``, and wait until it says that it is ready.

        Raises :class:`ProcessFailed`.
        """
        self.data = folder / "data"
        attempts = 5
        for attempt in range(1, attempts + 1):
            port = free_ports(PORTS)
            self.server = f"http://127.0.0.1:{port}"
            self.sandbox = f"http://127.0.0.1:{port + 1}"
            self.portal = f"http://localhost:{port + 2}"
            self.process = Process(
                [sys.executable, "-m", "bjidp", "demo", "--port", str(port), "--data", self.data],
                log=folder / f"demo-{attempt}.log",
            )
            try:
                self.process.wait_until(self._is_ready, PATIENCE)
            except ProcessFailed:
                self.process.stop()
                if attempt == attempts:
                    raise
            else:
                return

    @property
    def config(self) -> Path:
        """The server's configuration file, which the demo has written."""
        return self.data / "server.toml"

    def stop(self) -> None:
        """End it, and everything it has started."""
        self.process.stop()

    def _is_ready(self) -> bool:
        return any(line.startswith("ready") for line in self.process.log.read_text(errors="replace").splitlines())


def free_ports(count: int) -> int:
    """Return the first of ``count`` ports in a row that nobody listens on now."""
    while True:
        first = free_port()
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            continue
        return first


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """The run's demo."""
    with tempfile.TemporaryDirectory(prefix="bjidp-demo-") as folder:
        running = Demo(Path(folder))
        yield running
        running.stop()
