"""A room to recover accounts in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.accounts.conftest import Ground
from tests.unit.accounts.recovery.room import Room


@pytest.fixture
async def room(ground: Ground) -> AsyncIterator[Room]:
    """The room."""
    opened = Room(ground.sql, ground.sessions, ground.short_lived, ground.file, ground.clock, ground.entropy)
    yield opened
    await opened.close()
