"""Turns at the event loop: a few requests in each pass, in the order they came."""

from __future__ import annotations

import asyncio

import pytest

from bjidp.web.http.pacing import SHARE, Pacing


class Passes:
    """Counts the passes of the running loop."""

    def __init__(self) -> None:
        self.now = 0
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_soon(self._count)

    def stop(self) -> None:
        """Count no more."""
        self._next.cancel()

    def _count(self) -> None:
        self.now += 1
        self._next = self._loop.call_soon(self._count)


async def wait_turn(pacing: Pacing, path: str) -> None:
    """Go on when the request for ``path`` may."""
    turn = pacing.turn(path)
    if turn is not None:
        await turn


async def arrivals(pacing: Pacing, *paths: str) -> list[tuple[int, int]]:
    """Let requests come at one moment; return who went on in which pass, in order."""
    passes = Passes()
    found: list[tuple[int, int]] = []

    async def request(number: int, path: str) -> None:
        await wait_turn(pacing, path)
        found.append((passes.now, number))

    await asyncio.gather(*(request(number, path) for number, path in enumerate(paths)))
    passes.stop()
    return found


async def test_requests_that_come_at_once_go_on_a_few_in_a_pass_in_the_order_they_came() -> None:
    found = await arrivals(Pacing(3), *["/login"] * 10)
    assert [number for _, number in found] == list(range(10))
    passes = [at for at, _ in found]
    assert max(passes.count(at) for at in passes) == 3
    assert len(set(passes)) == 4


async def test_somebody_alone_does_not_wait_for_a_pass() -> None:
    pacing = Pacing(1)
    for _ in range(3):
        assert pacing.turn("/login") is None
        await asyncio.sleep(0)


@pytest.mark.parametrize("path", ["/qr/redeem", "/mp/v1/qr/confirm"])
async def test_whoever_has_a_code_before_them_passes_by_a_crowd(path: str) -> None:
    found = await arrivals(Pacing(2), *["/h5/login"] * 8, path)
    assert [number for _, number in found][:3] == [0, 1, 8]


@pytest.mark.attack("O12")
async def test_a_flood_of_those_who_pass_by_leaves_a_share_to_the_crowd() -> None:
    flood = ["/mp/v1/qr/scan"] * (4 * SHARE)
    found = await arrivals(Pacing(1), *["/login"] * 8, *flood)
    passes = [at for at, number in found if number < 8]
    # One by its turn, and one for each share of the flood, in the pass after it.
    assert passes[: 1 + len(flood) // SHARE] == [passes[0]] + [passes[0] + 1] * (len(flood) // SHARE)


async def test_who_comes_later_waits_behind_those_who_wait() -> None:
    pacing = Pacing(1)
    order: list[str] = []

    async def request(name: str) -> None:
        await wait_turn(pacing, "/register")
        order.append(name)

    first = [asyncio.create_task(request(name)) for name in ("a", "b", "c")]
    await asyncio.sleep(0)
    late = asyncio.create_task(request("d"))
    await asyncio.gather(*first, late)
    assert order == ["a", "b", "c", "d"]


async def test_whoever_hangs_up_takes_nobodys_turn() -> None:
    pacing = Pacing(1)
    passes = Passes()
    went_on: list[int] = []

    async def request() -> None:
        await wait_turn(pacing, "/register")
        went_on.append(passes.now)

    tasks = [asyncio.create_task(request()) for _ in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[2].cancel()
    await tasks[3]
    passes.stop()
    first, last = went_on
    assert last - first == 2, "one pass to be let on, and one to go on in"
