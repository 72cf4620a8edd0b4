"""Opening and closing what a process is made of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast
from unittest.mock import AsyncMock

import pytest

from bjidp.bootstrap import Rooms, close_rooms


def rooms(http: AsyncMock, *stores: AsyncMock) -> Rooms:
    """Return rooms of which only the closing is real."""
    return cast("Rooms", SimpleNamespace(http=SimpleNamespace(close=http), stores=SimpleNamespace(closes=stores)))


async def test_clients_are_closed_before_the_stores_they_report_to() -> None:
    order: list[str] = []
    names = ("http", "redis", "sql")
    closes = [AsyncMock(side_effect=lambda name=name: order.append(name)) for name in names]
    await close_rooms(rooms(*closes))
    assert order == list(names)


@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_what_cannot_be_closed_keeps_nothing_else_open(failing: int) -> None:
    closes = [AsyncMock() for _ in range(3)]
    closes[failing].side_effect = ConnectionError
    with pytest.raises(ConnectionError):
        await close_rooms(rooms(*closes))
    for close in closes:
        close.assert_awaited_once()
