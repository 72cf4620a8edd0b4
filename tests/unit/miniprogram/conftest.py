"""A phone's world on a fresh database for each test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.storage.sql.catalog import open_sql
from bjidp.storage.sql.migrations import migrate
from tests.support.phones import PhoneWorld, keyring


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema, to copy."""
    path = tmp_path_factory.mktemp("mini-schema") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
async def world(
    empty_database: Path, tmp_path: Path, clock: ManualClock, entropy: SeededEntropy
) -> AsyncIterator[PhoneWorld]:
    """Three platforms, an authority, and the services on real stores."""
    file = tmp_path / "bjidp.db"
    shutil.copy(empty_database, file)
    stores = open_sql(f"sqlite:///{file}", keyring(), entropy, clock)
    yield PhoneWorld(stores=stores, file=file, clock=clock, entropy=entropy)
    await stores.close()
