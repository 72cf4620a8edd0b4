"""Who is next where files are looked into, and how much time an account may have of it (RNV-8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bjidp.appeals.turns import BUDGET, RETRY_AFTER, SPAN, Turns
from bjidp.errors import RateLimited, TooBusy

pytestmark = [pytest.mark.req("RNV-8"), pytest.mark.attack("U11")]


class Watch:
    """A stopwatch that moves only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Place:
    """Turns, and the accounts that have come and gone on."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.turns = Turns(stopwatch=self.watch)
        self.began: list[str] = []
        self._over: dict[str, list[asyncio.Event]] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def comes(self, *accounts: str) -> list[asyncio.Task[None]]:
        """Have accounts come, in this order."""
        made = [asyncio.create_task(self._goes(account)) for account in accounts]
        self.tasks += made
        await settled()
        return made

    async def ends(self, account: str, seconds: float) -> None:
        """Let the turn that an account has end after so long."""
        self.watch.now += seconds
        self._over[account].pop(0).set()
        await settled()

    async def has_used(self, account: str, seconds: float) -> None:
        """Have an account have used so much already."""
        await self.comes(account)
        await self.ends(account, seconds)
        self.began.clear()

    async def _goes(self, account: str) -> None:
        over = asyncio.Event()
        async with self.turns.turn(account):
            self.began.append(account)
            self._over.setdefault(account, []).append(over)
            await over.wait()


async def settled() -> None:
    """Let whatever can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """A place where one goes on at a time."""
    made = Place()
    yield made
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)


async def test_alone_nobody_waits_and_else_whoever_came_first(place: Place) -> None:
    await place.comes("one", "two", "three")
    assert place.began == ["one"]
    await place.ends("one", 0.5)
    assert place.began == ["one", "two"]
    await place.ends("two", 0.5)
    assert place.began == ["one", "two", "three"]


async def test_whoever_sends_one_long_file_after_another_keeps_others_for_one_of_them(place: Place) -> None:
    await place.comes("slow", "slow", "slow", "other", "another")
    await place.ends("slow", 8)
    assert place.began == ["slow", "other"]
    await place.ends("other", 0.5)
    assert place.began[2:] == ["another"]
    await place.ends("another", 0.5)
    assert place.began[3:] == ["slow"], "its turn comes when nobody waits who had less"
    await place.comes("late")
    await place.ends("slow", 8)
    assert place.began[4:] == ["late"]


async def test_where_too_many_wait_whoever_has_used_most_gives_way(place: Place) -> None:
    await place.has_used("greedy", 8)
    await place.has_used("quick", 1)
    # Two may wait from now on.
    place.turns._most = 2
    (_, greedy, _) = await place.comes("running", "greedy", "quick")
    (fresh,) = await place.comes("fresh")
    assert isinstance(greedy.exception(), TooBusy)
    assert not fresh.done()
    (turned_away,) = await place.comes("greedy")
    refused = turned_away.exception()
    assert isinstance(refused, TooBusy)
    assert refused.retry_after == RETRY_AFTER
    (equal,) = await place.comes("quick")
    assert isinstance(equal.exception(), TooBusy), "who has used as much came first"
    await place.ends("running", 0.5)
    assert place.began == ["running", "fresh"]


async def test_an_account_has_so_much_within_an_hour(place: Place) -> None:
    await place.has_used("slow", BUDGET - 1)
    place.turns.require_time("slow")
    await place.has_used("slow", 2)
    with pytest.raises(RateLimited) as limited:
        place.turns.require_time("slow")
    assert limited.value.retry_after == SPAN - 2
    (refused,) = await place.comes("slow")
    assert isinstance(refused.exception(), RateLimited)
    place.turns.require_time("other")
    place.watch.now += SPAN - 2
    place.turns.require_time("slow")
    place.watch.now += SPAN
    await place.has_used("other", 1)
    assert list(place.turns._used) == ["other"], "nobody is remembered for longer"


async def test_what_was_used_before_the_last_hour_neither_shortens_a_wait_nor_is_remembered(place: Place) -> None:
    await place.has_used("slow", BUDGET - 1)
    place.watch.now += SPAN
    await place.has_used("slow", BUDGET + 1)
    with pytest.raises(RateLimited) as limited:
        place.turns.require_time("slow")
    assert limited.value.retry_after == SPAN
    assert len(place.turns._used["slow"]) == 1


async def test_whoever_goes_while_they_wait_takes_nobodys_turn(place: Place) -> None:
    (_, gone, _) = await place.comes("running", "gone", "next")
    gone.cancel()
    await settled()
    await place.ends("running", 1)
    assert place.began == ["running", "next"]


async def test_whoever_goes_in_the_moment_in_which_their_turn_comes_hands_it_on(place: Place) -> None:
    (_, gone, _) = await place.comes("running", "gone", "next")
    place.turns._let_next()
    gone.cancel()
    await settled()
    assert gone.cancelled()
    assert place.began == ["running", "next"]
