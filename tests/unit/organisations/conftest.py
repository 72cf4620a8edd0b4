"""A room to deal with organisations in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.conftest import Ground
from tests.unit.organisations.room import Office


@pytest.fixture
async def room(ground: Ground) -> AsyncIterator[Office]:
    """The room."""
    opened = Office(ground.sql, ground.sessions, ground.short_lived, ground.file, ground.clock, ground.entropy)
    yield opened
    await opened.close()
