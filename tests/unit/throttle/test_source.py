"""Limits by address: the two exceptions hold for every one of them."""

from __future__ import annotations

import pytest

from bjidp.clock import ManualClock
from bjidp.errors import RateLimited
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.throttle.ports import per_minute
from bjidp.throttle.source import Source

ONCE = per_minute(1)


async def passes(throttle: MemoryThrottle, source: Source, name: str = "kind") -> int:
    """Return how often the source gets through, of thirty times."""
    passed = 0
    for _ in range(30):
        try:
            await source.hit(throttle, name, ONCE)
        except RateLimited:
            break
        passed += 1
    return passed


@pytest.mark.parametrize(
    ("source", "times"),
    [(Source("a"), 1), (Source("a", shared=True), 10), (Source(None), 30), (Source(None, True), 30)],
)
async def test_a_limit_is_tenfold_where_many_share_an_address_and_none_where_it_is_lifted(
    source: Source, times: int
) -> None:
    assert await passes(MemoryThrottle(ManualClock()), source) == times


async def test_each_address_and_each_kind_of_event_is_counted_by_itself() -> None:
    throttle = MemoryThrottle(ManualClock())
    assert await passes(throttle, Source("a")) == 1
    assert await passes(throttle, Source("b")) == 1
    assert await passes(throttle, Source("a"), "other") == 1
    assert await passes(throttle, Source("a")) == 0
