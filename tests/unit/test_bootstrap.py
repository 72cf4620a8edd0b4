"""Opening and closing what a process is made of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest.mock import AsyncMock

import pytest
from redis import Redis

from bjidp.bootstrap import Rooms, close_rooms, open_rooms
from bjidp.clock import ManualClock
from bjidp.config import settings as config
from bjidp.config.settings import Settings
from bjidp.entropy import SeededEntropy
from bjidp.secret import Secret
from bjidp.throttle.ports import per_minute
from bjidp.vendors.settings import AuthoritySettings


def rooms(pictures: AsyncMock, http: AsyncMock, *stores: AsyncMock) -> Rooms:
    """Return rooms of which only the closing is real."""
    return cast(
        "Rooms",
        SimpleNamespace(
            pictures=SimpleNamespace(close=pictures),
            http=SimpleNamespace(close=http),
            stores=SimpleNamespace(closes=stores),
        ),
    )


async def test_clients_are_closed_before_the_stores_they_report_to() -> None:
    order: list[str] = []
    names = ("pictures", "http", "redis", "sql")
    closes = [AsyncMock(side_effect=lambda name=name: order.append(name)) for name in names]
    await close_rooms(rooms(*closes))
    assert order == list(names)


@pytest.mark.parametrize("failing", [0, 1, 2, 3])
async def test_what_cannot_be_closed_keeps_nothing_else_open(failing: int) -> None:
    closes = [AsyncMock() for _ in range(4)]
    closes[failing].side_effect = ConnectionError
    with pytest.raises(ConnectionError):
        await close_rooms(rooms(*closes))
    for close in closes:
        close.assert_awaited_once()


@pytest.mark.req("OPS-3")
async def test_keys_in_redis_begin_as_the_settings_say(
    redis_url: str, tmp_path: Path, clock: ManualClock, entropy: SeededEntropy
) -> None:
    settings = Settings(
        server=config.Server(base_url="http://127.0.0.1:8080", environment="demo"),
        storage=config.Storage(
            database_url=f"sqlite:///{tmp_path / 'bjidp.sqlite'}", redis_url=redis_url, redis_prefix="second:"
        ),
        keys=config.Keys(roots={"1": Secret("cm9vdCBrZXkgb2YgdGhlIHdlYiB0ZXN0cywgMzIgYi4=")}),
        authority=AuthoritySettings(base_url="http://127.0.0.1", key_id="x", secret=Secret("x")),
    )
    opened = await open_rooms(settings, clock, entropy)
    try:
        await opened.stores.throttle.hit("key", per_minute(5))
    finally:
        await close_rooms(opened)
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        keys = list(redis.scan_iter())
    assert keys
    assert all(key.startswith("second:") for key in keys)


async def test_nobody_is_told_the_answers_of_captchas_outside_a_demonstration(
    clock: ManualClock, entropy: SeededEntropy
) -> None:
    settings = Settings(
        server=config.Server(base_url="https://login.example", environment="production"),
        storage=config.Storage(database_url="sqlite:///nowhere/bjidp.sqlite"),
        keys=config.Keys(roots={"1": Secret("cm9vdCBrZXkgb2YgdGhlIHdlYiB0ZXN0cywgMzIgYi4=")}),
        authority=AuthoritySettings(base_url="https://authority.example", key_id="x", secret=Secret("x")),
    )
    with pytest.raises(ValueError, match=r"server\.environment"):
        await open_rooms(settings, clock, entropy, AsyncMock())
