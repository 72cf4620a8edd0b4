"""The link that callers share: whose deadline ends what."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
import structlog

from bjidp.errors import StoreUnavailable
from bjidp.storage.redis.client import RedisLink
from bjidp.storage.redis.lane import Lane
from tests.unit.storage.redis.test_lane import Line


async def test_a_caller_whose_time_went_into_connecting_leaves_the_connection_to_those_who_have_time_left() -> None:
    """The lane answers within its own patience, which begins with the question and not with the connecting."""
    lane = Lane(30)
    connected = asyncio.Event()

    async def connect(_: float) -> Lane:
        await connected.wait()
        lane.connection_made(cast("asyncio.BaseTransport", Line(lane)))
        return lane

    link = RedisLink(connect, deadline=0.5)
    with structlog.testing.capture_logs() as logs:
        first = asyncio.create_task(link.call("GET", "first"))
        await asyncio.sleep(0)
        assert link._opening is not None
        connected.set()
        await asyncio.wait({link._opening})
        later = asyncio.create_task(link.call("GET", "later"))
        with pytest.raises(StoreUnavailable):
            await first
        next_one = asyncio.create_task(link.call("GET", "next"))
        await asyncio.sleep(0)
        lane.data_received(b"+first\r\n+later\r\n+next\r\n")
        async with asyncio.timeout(10):
            assert (await later, await next_one) == (b"later", b"next")
    assert logs == []
    assert not lane.broken
    await link.close()
