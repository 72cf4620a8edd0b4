"""A room to log in to accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.accounts.login.room import Room
from tests.unit.conftest import Ground


@pytest.fixture
async def room(ground: Ground) -> AsyncIterator[Room]:
    """The room."""
    opened = Room(ground)
    yield opened
    await opened.close()
