"""A room to prove who one is in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.conftest import Ground
from tests.unit.proofing.room import Study


@pytest.fixture
async def room(ground: Ground) -> AsyncIterator[Study]:
    """The room."""
    opened = Study(ground.sql, ground.sessions, ground.short_lived, ground.file, ground.clock, ground.entropy)
    yield opened
    await opened.close()
