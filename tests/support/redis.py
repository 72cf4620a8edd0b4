"""A real Redis for tests: one server a run, one empty database a test.

Databases do not divide publish and subscribe: a channel's name has to be unique by itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.support import backends
from tests.support.processes import Process, ProcessFailed, free_port

DATABASES = 64


class RedisServer:
    """One ``redis-server`` on loopback that keeps nothing on disk."""

    def __init__(self, folder: Path, backend: backends.Backend | None = None, *options: str) -> None:
        """Start it and wait until it answers. ``options`` are arguments of ``redis-server``."""
        self.backend = backend or backends.redis()
        self._databases = count()
        self._folder = folder
        self._options = options
        attempts = 5
        for attempt in range(1, attempts + 1):
            self.port = free_port()
            self.process = self._start()
            try:
                self.process.wait_until(self._answers)
            except ProcessFailed:
                self.process.stop()
                if attempt == attempts:
                    raise
            else:
                return

    def _start(self) -> Process:
        command: list[str | Path] = [self.backend.path, "--bind", "127.0.0.1", "--port", str(self.port)]
        command += ["--save", "", "--appendonly", "no", "--databases", str(DATABASES), "--dir", self._folder]
        command += self._options
        return Process(command, log=self._folder / "redis.log")

    def url(self, database: int = 0) -> str:
        """Return the address of one database."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def fresh_url(self) -> str:
        """Return the address of a database that is empty now; they come round again after 64."""
        database = next(self._databases) % DATABASES
        with Redis(port=self.port, host="127.0.0.1", db=database) as client:
            client.flushdb()
        return self.url(database)

    def stop(self) -> None:
        """End the server."""
        self.process.stop()

    def start_again(self) -> None:
        """Start it on the same port after :meth:`stop`, empty."""
        self.process = self._start()
        self.process.wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            with Redis(port=self.port, host="127.0.0.1", socket_timeout=1) as client:
                # Another run's server may have taken the port: ask for the process id.
                return bool(client.info("server").get("process_id") == self.process.pid)
        except RedisError:
            return False


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The run's Redis. A test that stops or floods a server starts its own: ``own_redis``."""
    with tempfile.TemporaryDirectory(prefix="bjidp-redis-") as folder:
        server = RedisServer(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of an empty Redis database."""
    return redis_server.fresh_url()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Start Redis servers that a test may stop, freeze or fill: call it for each, with ``redis-server`` options."""
    started: list[RedisServer] = []

    def start(*options: str) -> RedisServer:
        folder = tmp_path / f"redis-{len(started)}"
        folder.mkdir()
        server = RedisServer(folder, None, *options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
