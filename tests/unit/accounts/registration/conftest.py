"""A room to register in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.accounts.registration.room import Room
from tests.unit.conftest import Ground


@pytest.fixture
async def room(ground: Ground) -> AsyncIterator[Room]:
    """The room."""
    opened = Room(ground.sql, ground.sessions, ground.short_lived, ground.file, ground.clock, ground.entropy)
    yield opened
    await opened.close()
