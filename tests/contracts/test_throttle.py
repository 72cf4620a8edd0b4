"""What every throttle promises (``bjidp.throttle.ports``)."""

from __future__ import annotations

import asyncio

import pytest

from bjidp.clock import HOUR, MINUTE, ManualClock
from bjidp.errors import RateLimited
from bjidp.throttle.ports import Throttle, Window, per_minute
from tests.contracts.ephemeral import Processes


@pytest.fixture
def throttle(processes: Processes) -> Throttle:
    return processes.here.throttle


async def _refused(throttle: Throttle, key: str, *windows: Window) -> int:
    """Return after how many seconds the refusal says to come again."""
    with pytest.raises(RateLimited) as refusal:
        await throttle.hit(key, *windows)
    return refusal.value.retry_after


@pytest.mark.attack("O4", "O5")
async def test_of_a_hundred_parallel_hits_exactly_the_limit_passes(processes: Processes) -> None:
    async def hit(throttle: Throttle) -> bool:
        try:
            await throttle.hit("a", per_minute(7))
        except RateLimited:
            return False
        return True

    passed = await asyncio.gather(*(hit(place.throttle) for place in processes.both(100)))
    assert passed.count(True) == 7
    assert await processes.there.throttle.peek("a", per_minute(7)) == 7


@pytest.mark.attack("O4")
async def test_the_window_rolls_and_its_edge_is_exact(throttle: Throttle, clock: ManualClock) -> None:
    window = per_minute(2)
    await throttle.hit("a", window)
    clock.advance(30)
    await throttle.hit("a", window)
    clock.advance(29.999)
    assert await _refused(throttle, "a", window) == 1
    clock.advance(0.001)
    await throttle.hit("a", window)
    assert await _refused(throttle, "a", window) == 30


async def test_a_window_that_starts_anew_each_minute_would_let_twice_the_limit_through(
    throttle: Throttle, clock: ManualClock
) -> None:
    window = per_minute(10)
    clock.advance(59)
    for _ in range(10):
        await throttle.hit("a", window)
    clock.advance(2)
    assert await _refused(throttle, "a", window) == 58


async def test_the_refusal_says_when_the_fullest_window_has_room(throttle: Throttle, clock: ManualClock) -> None:
    windows = (Window(2, MINUTE), Window(3, HOUR))
    await throttle.hit("a", *windows)
    clock.advance(10.5)
    await throttle.hit("a", *windows)
    assert await _refused(throttle, "a", *windows) == 50  # 49.5, rounded up
    clock.advance(49.5)
    await throttle.hit("a", *windows)
    clock.advance(60)
    assert await _refused(throttle, "a", *windows) == 3600 - 120


async def test_a_refused_hit_is_counted_nowhere(throttle: Throttle, clock: ManualClock) -> None:
    windows = (Window(1, MINUTE), Window(2, HOUR))
    await throttle.hit("a", *windows)
    for _ in range(5):
        await _refused(throttle, "a", *windows)
    assert await throttle.peek("a", windows[1]) == 1
    clock.advance(60)
    await throttle.hit("a", *windows)


async def test_peeking_counts_nothing(throttle: Throttle, clock: ManualClock) -> None:
    window = per_minute(3)
    assert await throttle.peek("a", window) == 0
    await throttle.hit("a", window)
    clock.advance(1)
    await throttle.hit("a", window)
    assert [await throttle.peek("a", window) for _ in range(5)] == [2] * 5
    await throttle.hit("a", window)
    clock.advance(59)
    assert await throttle.peek("a", window) == 2
    clock.advance(1)
    assert await throttle.peek("a", window) == 0


async def test_keys_are_counted_apart(throttle: Throttle) -> None:
    await throttle.hit("a", per_minute(1))
    await throttle.hit("b", per_minute(1))
    await _refused(throttle, "a", per_minute(1))


async def test_a_limit_of_nothing_refuses_always(throttle: Throttle) -> None:
    assert await _refused(throttle, "a", Window(0, MINUTE)) == 60
    assert await throttle.peek("a", Window(0, MINUTE)) == 0


async def test_a_large_window_counts_every_event(throttle: Throttle, clock: ManualClock) -> None:
    window = Window(500, HOUR)
    for _ in range(500):
        await throttle.hit("a", window)
        clock.advance(1)
    assert await throttle.peek("a", window) == 500
    assert await _refused(throttle, "a", window) == 3600 - 500
    clock.advance(3600 - 500 + 99)
    assert await throttle.peek("a", window) == 400
    for _ in range(100):
        await throttle.hit("a", window)
    assert await _refused(throttle, "a", window) == 1
