"""The backends that the contract suites run on, and the house of stores that each test is given.

A suite asks for ``house`` and speaks to the ports alone; it runs once per backend of ``sql_url``. A backend is
never skipped. Suites of sessions ask for ``session_house``, which keeps them in Redis too.

Suites of short-lived stores ask for ``processes`` and run on memory and on Redis, whose clock is the test's there.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis import Redis

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy, SystemEntropy
from bjidp.storage.redis.catalog import open_redis
from bjidp.storage.sql.catalog import open_sql
from bjidp.storage.sql.migrations import migrate
from tests.contracts.ephemeral import MemoryStores, Processes
from tests.contracts.house import House, keyring
from tests.support.backends import redis
from tests.support.postgres import PostgresServer
from tests.support.processes import free_port
from tests.support.redis import RedisServer

_MIGRATED = "bjidp_migrated"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema, to copy."""
    path = tmp_path_factory.mktemp("schema") / "migrated.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres_server: PostgresServer) -> str:
    """The name of a PostgreSQL database with the newest schema."""
    postgres_server.create(_MIGRATED)
    migrate(postgres_server.url(_MIGRATED))
    return _MIGRATED


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """The address of a fresh SQLite file with the newest schema."""
    path = tmp_path / "bjidp.db"
    shutil.copy(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgres_server: PostgresServer, migrated_database: str) -> str:
    """The address of an empty PostgreSQL database with the newest schema; one made anew takes fifty times as long."""
    postgres_server.empty(migrated_database)
    return postgres_server.url(migrated_database)


@pytest.fixture(params=["sqlite", "postgresql"])
def sql_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh database of each kind, with the newest schema."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@asynccontextmanager
async def _opened(url: str, clock: ManualClock, entropy: SeededEntropy) -> AsyncIterator[House]:
    # The threads of the stores share their entropy, which a seeded stream is not made for.
    stores = open_sql(url, keyring(), SystemEntropy(), clock)
    try:
        yield House(url, stores.accounts, stores.sessions, stores.mini_sessions, stores, clock, entropy)
    finally:
        await stores.close()


@pytest.fixture
async def house(sql_url: str, clock: ManualClock, entropy: SeededEntropy) -> AsyncIterator[House]:
    """The stores of one fresh database, of each kind."""
    async with _opened(sql_url, clock, entropy) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql", "redis-sqlite", "redis-postgresql"])
async def session_house(
    request: pytest.FixtureRequest, clock: ManualClock, entropy: SeededEntropy
) -> AsyncIterator[House]:
    """The stores of one fresh database of each kind, and of each that keeps its sessions in Redis."""
    kept_in, _, accounts = request.param.rpartition("-")
    if not kept_in:
        async with _opened(request.getfixturevalue(f"{request.param}_url"), clock, entropy) as opened:
            yield opened
        return
    redis_url: str = request.getfixturevalue("redis_url")
    shared = await open_redis(redis_url, entropy=entropy)
    async with _opened(request.getfixturevalue(f"{accounts}_url"), clock, entropy) as opened:
        opened.redis_url = redis_url
        opened.sessions = shared.sessions(opened.sql.accounts, opened.sql.audit, opened.sql.grants)
        opened.mini_sessions = shared.mini_sessions(opened.sql.accounts, opened.sql.audit)
        yield opened
    await shared.close()


@pytest.fixture
async def sqlite_house(sqlite_url: str, clock: ManualClock, entropy: SeededEntropy) -> AsyncIterator[House]:
    """The stores of one fresh SQLite file, for what only SQLite does."""
    async with _opened(sqlite_url, clock, entropy) as opened:
        yield opened


@pytest.fixture
async def postgres_house(postgresql_url: str, clock: ManualClock, entropy: SeededEntropy) -> AsyncIterator[House]:
    """The stores of one fresh PostgreSQL database, for what only PostgreSQL does."""
    async with _opened(postgresql_url, clock, entropy) as opened:
        yield opened


@pytest.fixture(scope="session")
def cluster_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A cluster of one: it refuses a script whose keys lie in different slots, and has sharded channels."""
    options = ["--databases", "1", "--cluster-enabled", "yes"]
    if redis().version >= (7,):
        # Its nodes talk on a second port, which is far above the first unless told otherwise.
        options += ["--cluster-port", str(free_port())]
    server = RedisServer(tmp_path_factory.mktemp("cluster"), None, *options)
    with Redis.from_url(server.url()) as client:
        client.cluster("ADDSLOTS", *range(16384))
        server.process.wait_until(lambda: client.cluster("INFO")["cluster_state"] == "ok")
    yield server
    server.stop()


@pytest.fixture(params=["memory", "redis", "redis-cluster"])
async def processes(
    request: pytest.FixtureRequest, clock: ManualClock, entropy: SeededEntropy
) -> AsyncIterator[Processes]:
    """Two processes on the same empty short-lived stores."""
    if request.param == "memory":
        alone = MemoryStores(clock)
        yield Processes(alone, alone)
        return
    if request.param == "redis":
        url: str = request.getfixturevalue("redis_url")
    else:
        server: RedisServer = request.getfixturevalue("cluster_server")
        url = server.url()
        with Redis.from_url(url) as client:
            client.flushdb()
    here = await open_redis(url, entropy=entropy, clock=clock)
    there = await open_redis(url, entropy=entropy, clock=clock)
    yield Processes(here, there)
    await here.close()
    await there.close()
