"""A room to change accounts in, on a fresh database and fresh short-lived stores for each test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bjidp.clock import ManualClock
from bjidp.entropy import SystemEntropy
from bjidp.storage.redis.catalog import open_redis
from bjidp.storage.sql.catalog import open_sql
from bjidp.storage.sql.migrations import migrate
from tests.contracts.ephemeral import MemoryStores
from tests.support.phones import keyring
from tests.unit.accounts.settings.room import Room


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema, to copy."""
    path = tmp_path_factory.mktemp("settings-schema") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["memory", "redis"])
async def room(
    request: pytest.FixtureRequest, empty_database: Path, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Room]:
    """The room, with what is short-lived in memory and in Redis."""
    file = tmp_path / "bjidp.db"
    shutil.copy(empty_database, file)
    entropy = SystemEntropy()
    sql = open_sql(f"sqlite:///{file}", keyring(), entropy)
    if request.param == "memory":
        opened = Room(sql, sql.sessions, MemoryStores(clock), file, clock, entropy)
        yield opened
        await opened.close()
    else:
        redis = await open_redis(request.getfixturevalue("redis_url"), entropy=entropy, clock=clock)
        opened = Room(sql, redis.sessions(sql.accounts, sql.audit), redis, file, clock, entropy)
        yield opened
        await opened.close()
        await redis.close()
    await sql.close()
