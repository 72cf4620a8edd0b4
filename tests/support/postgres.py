"""A real PostgreSQL for tests: one server a run, one empty database a test.

The server trusts every connection from loopback and keeps its data in a temporary folder with every guarantee of
durability switched off: a test may lose data in a power cut.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.support import backends
from tests.support.processes import Process, ProcessFailed, free_port

OWNER = "bjidp"
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
}


_EMPTY = """
DO $$ DECLARE name text; BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  -- Without a look at foreign keys: nothing is left that could point anywhere.
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
  FOR name IN SELECT sequencename FROM pg_sequences LOOP EXECUTE format('ALTER SEQUENCE %I RESTART', name); END LOOP;
END $$
"""


class PostgresServer:
    """One PostgreSQL server on loopback."""

    def __init__(self, folder: Path, backend: backends.Backend | None = None) -> None:
        """Make a cluster in ``folder``, start the server and wait until it answers."""
        self.backend = backend or backends.postgres()
        self._names = count(1)
        self._user = _unprivileged()
        self._binaries = self._reachable(folder)
        self._data = folder / "data"
        self._data.mkdir(mode=0o700)
        if self._user:
            folder.chmod(0o755)
            os.chown(self._data, self._user.pw_uid, self._user.pw_gid)
        self._run("initdb", "--pgdata", self._data, "--username", OWNER, "--auth", "trust", "--encoding", "UTF8",
                  "--locale", "C", "--no-sync")  # fmt: skip
        attempts = 5
        for attempt in range(1, attempts + 1):
            self.port = free_port()
            self.process = self._start(folder)
            try:
                self.process.wait_until(self._answers)
            except ProcessFailed:
                self.process.stop()
                if attempt == attempts:
                    raise
            else:
                return

    def url(self, database: str = "postgres") -> str:
        """Return the address of one database, as SQLAlchemy writes it."""
        return f"postgresql+psycopg://{OWNER}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Make a database for the length of a block and yield its address; ``template`` is one to copy."""
        name = f"test_{next(self._names)}"
        self.create(name, template)
        try:
            yield self.url(name)
        finally:
            self.drop(name)

    def create(self, name: str, template: str = "template1") -> None:
        """Make a database as a copy of ``template``, which nobody may be connected to."""
        # By copying files: by way of the log, as is usual, takes twice as long.
        self._say("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)

    def empty(self, name: str) -> None:
        """Take every row out of a database, and whoever is still connected to it; its schema stays."""
        with self._connected(name) as owner:
            owner.execute(_EMPTY)

    def dump(self, url: str) -> bytes:
        """Return everything in the database at ``url`` as ``pg_dump`` writes it: octets in hexadecimal."""
        name = url.rpartition("/")[2]
        return self._run("pg_dump", "--host", "127.0.0.1", "--port", str(self.port), "--username", OWNER, name)

    def drop(self, name: str) -> None:
        """Remove a database, and whoever is still connected to it."""
        self._say("DROP DATABASE {} WITH (FORCE)", name)

    def stop(self) -> None:
        """End the server at once, whoever is connected."""
        self.process.stop()

    def _say(self, statement: str, *names: str) -> None:
        with self._connected("postgres") as admin:
            admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _connected(self, database: str) -> psycopg.Connection:
        return psycopg.connect(host="127.0.0.1", port=self.port, user=OWNER, dbname=database, autocommit=True)

    def _start(self, folder: Path) -> Process:
        command: list[str | Path] = [self._binaries / "postgres", "-D", self._data, "-p", str(self.port)]
        for name, value in _SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        return Process(
            command,
            log=folder / "postgres.log",
            stop_signal="INT",  # a "fast" shutdown: TERM would wait for every client to leave
            environment={"PATH": os.defpath},
            user=self._user.pw_uid if self._user else None,
            group=self._user.pw_gid if self._user else None,
        )

    def _answers(self) -> bool:
        try:
            with self._connected("postgres") as client:
                row = client.execute("SELECT current_setting('data_directory')").fetchone()
                # Another run's server may have taken the port: ask where its data lies.
                return row is not None and row[0] == str(self._data)
        except psycopg.OperationalError:
            return False

    def _run(self, program: str, *arguments: str | Path) -> bytes:
        ended = subprocess.run(
            [self._binaries / program, *arguments],
            capture_output=True,
            check=False,
            cwd="/",
            env={"PATH": os.defpath},
            user=self._user.pw_uid if self._user else None,
            group=self._user.pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
        )
        if ended.returncode:
            said = (ended.stdout + ended.stderr).decode(errors="replace")
            raise ProcessFailed(f"{program} failed:\n{said}")
        return ended.stdout

    def _reachable(self, folder: Path) -> Path:
        """Return a folder of binaries that the server's user may enter: a wheel may lie in root's own home."""
        binaries = self.backend.path.parent
        if self._user is None or all(parent.stat().st_mode & 0o001 for parent in self.backend.path.parents):
            return binaries
        package = binaries.parent.parent
        shutil.copytree(binaries.parent, folder / package.name / binaries.parent.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name)
        return folder / package.name / binaries.parent.name / "bin"


def _unprivileged() -> pwd.struct_passwd | None:
    """Return whom to run the server as: PostgreSQL refuses root, and needs no change of user otherwise."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise backends.MissingBackend("PostgreSQL refuses to run as root, and there is no user postgres or nobody here.")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The run's PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="bjidp-postgres-") as folder:
        server = PostgresServer(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty PostgreSQL database: ``postgresql+psycopg://...``."""
    with postgres_server.database() as url:
        yield url
