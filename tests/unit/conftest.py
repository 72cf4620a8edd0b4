"""Where services keep accounts in these tests: a fresh database, and fresh short-lived stores of both kinds."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bjidp.clock import ManualClock
from bjidp.entropy import Entropy, SystemEntropy
from bjidp.sessions.ports import SessionStore
from bjidp.storage.redis.catalog import RedisStores, open_redis
from bjidp.storage.sql.catalog import SqlStores, open_sql
from bjidp.storage.sql.migrations import migrate
from tests.contracts.ephemeral import MemoryStores
from tests.support.phones import keyring


@dataclass(frozen=True)
class Ground:
    """Open stores, for a test to build its services on."""

    sql: SqlStores
    sessions: SessionStore
    short_lived: MemoryStores | RedisStores
    file: Path
    clock: ManualClock
    entropy: Entropy


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema, to copy."""
    path = tmp_path_factory.mktemp("accounts-schema") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["memory", "redis"])
async def ground(
    request: pytest.FixtureRequest, empty_database: Path, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Ground]:
    """The stores, with what is short-lived in memory and in Redis."""
    file = tmp_path / "bjidp.db"
    shutil.copy(empty_database, file)
    entropy = SystemEntropy()
    sql = open_sql(f"sqlite:///{file}", keyring(), entropy, clock)
    if request.param == "memory":
        yield Ground(sql, sql.sessions, MemoryStores(clock), file, clock, entropy)
    else:
        redis = await open_redis(request.getfixturevalue("redis_url"), entropy=entropy, clock=clock)
        yield Ground(sql, redis.sessions(sql.accounts, sql.audit, sql.grants), redis, file, clock, entropy)
        await redis.close()
    await sql.close()
