"""Pictures are drawn ahead, on one thread; nobody waits while there are any, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from bjidp.entropy import SeededEntropy
from bjidp.errors import TooBusy
from bjidp.verification.captcha_pool import PAUSE, CaptchaPool, Drawn
from tests.support.program import LoopTime

READY = 3
WAITING = 2


class Painter:
    """Draws nothing, slowly when told to: a drawing waits until the brush is given back."""

    def __init__(self) -> None:
        self.drawn: list[str] = []
        self.threads: set[int] = set()
        self.brush = threading.Event()
        self.brush.set()

    def __call__(self, answer: str) -> bytes:
        self.threads.add(threading.get_ident())
        assert self.brush.wait(20)
        self.drawn.append(answer)
        return answer.encode()


@pytest.fixture
def painter() -> Painter:
    return Painter()


@pytest.fixture
async def pool(painter: Painter, entropy: SeededEntropy) -> AsyncIterator[CaptchaPool]:
    pool = CaptchaPool(painter, entropy, ready=READY, waiting=WAITING, patience=20)
    yield pool
    painter.brush.set()
    await pool.close()


@pytest.fixture
async def time() -> LoopTime:
    return LoopTime()


async def pause(time: LoopTime) -> None:
    """Let so much time pass as a picture is not replaced for."""
    time.skip(PAUSE)
    for _ in range(2):
        # Timers are looked at in the next pass of the event loop, and called at its end.
        await asyncio.sleep(0)


async def drawn(pool: CaptchaPool) -> None:
    """Wait until everything is drawn that was ordered."""
    _, missing = await asyncio.wait([ordered.picture for ordered in pool._ordered], timeout=20)
    assert not missing


async def test_pictures_are_drawn_before_anybody_asks_and_nobody_waits_for_them(
    pool: CaptchaPool, painter: Painter
) -> None:
    pool.fill()
    await drawn(pool)
    painter.brush.clear()
    taken: list[Drawn] = []
    for _ in range(READY):
        taking = pool.take()
        with pytest.raises(StopIteration) as ended:
            # It runs to its end without giving the event loop a turn.
            taking.send(None)
        taken.append(ended.value.value)
    assert [drawn.answer for drawn in taken] == painter.drawn[:READY]
    assert all(drawn.picture == drawn.answer.encode() for drawn in taken)


async def test_each_picture_that_is_taken_is_replaced(pool: CaptchaPool, painter: Painter, time: LoopTime) -> None:
    answers = [(await pool.take()).answer for _ in range(20)]
    await pause(time)
    await drawn(pool)
    assert painter.drawn[:20] == answers
    assert len(painter.drawn) == 20 + READY


async def test_while_there_are_plenty_the_page_that_shows_a_picture_comes_before_another_picture(
    pool: CaptchaPool, painter: Painter, time: LoopTime
) -> None:
    pool.fill()
    await drawn(pool)
    await pool.take()
    await pool.take()
    await drawn(pool)
    assert len(painter.drawn) == READY
    await pause(time)
    await drawn(pool)
    assert len(painter.drawn) == READY + 2


async def test_when_half_are_gone_all_that_were_taken_are_replaced_at_once(pool: CaptchaPool, painter: Painter) -> None:
    pool.fill()
    for _ in range(READY):
        await pool.take()
    await drawn(pool)
    assert len(painter.drawn) == 2 * READY


async def test_a_pool_that_is_closed_replaces_nothing(pool: CaptchaPool, painter: Painter, time: LoopTime) -> None:
    pool.fill()
    await drawn(pool)
    await pool.take()
    await pool.close()
    await pause(time)
    assert len(painter.drawn) == READY


async def test_no_more_are_drawn_than_shall_be_ready(pool: CaptchaPool, painter: Painter) -> None:
    for _ in range(5):
        pool.fill()
    await drawn(pool)
    assert len(painter.drawn) == READY


async def test_drawing_is_done_on_one_thread_and_never_on_that_of_the_event_loop(
    pool: CaptchaPool, painter: Painter
) -> None:
    await asyncio.gather(*(pool.take() for _ in range(WAITING)))
    assert len(painter.threads) == 1
    assert threading.get_ident() not in painter.threads


async def test_who_finds_none_gets_the_next_that_is_drawn(pool: CaptchaPool, painter: Painter) -> None:
    painter.brush.clear()
    first, second = asyncio.ensure_future(pool.take()), asyncio.ensure_future(pool.take())
    await asyncio.sleep(0)
    assert not first.done()
    painter.brush.set()
    assert [(await first).answer, (await second).answer] == painter.drawn[:2]


@pytest.mark.attack("W9")
async def test_beyond_those_who_wait_already_people_are_turned_away_at_once(
    pool: CaptchaPool, painter: Painter
) -> None:
    painter.brush.clear()
    waiting = [asyncio.ensure_future(pool.take()) for _ in range(WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(TooBusy):
        await pool.take()
    painter.brush.set()
    assert len({(await one).answer for one in waiting}) == WAITING
    await pool.take()


async def test_who_waits_too_long_is_turned_away_and_what_is_then_drawn_is_for_others(
    painter: Painter, entropy: SeededEntropy
) -> None:
    pool = CaptchaPool(painter, entropy, ready=READY, waiting=WAITING, patience=0.01)
    painter.brush.clear()
    with pytest.raises(TooBusy) as refused:
        await pool.take()
    assert refused.value.retry_after > 0
    painter.brush.set()
    await drawn(pool)
    assert (await pool.take()).answer == painter.drawn[1]
    await pool.close()


async def test_who_hangs_up_leaves_their_place_to_another(pool: CaptchaPool, painter: Painter) -> None:
    painter.brush.clear()
    waiting = [asyncio.ensure_future(pool.take()) for _ in range(WAITING)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    another = asyncio.ensure_future(pool.take())
    await asyncio.sleep(0)
    painter.brush.set()
    assert (await waiting[1]).answer != (await another).answer
    assert waiting[0].cancelled()


async def test_closing_draws_no_more_and_turns_away_who_waits(painter: Painter, entropy: SeededEntropy) -> None:
    pool = CaptchaPool(painter, entropy, ready=READY, waiting=WAITING, patience=20)
    painter.brush.clear()
    waiting = [asyncio.ensure_future(pool.take()) for _ in range(WAITING)]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(pool.close())
    await asyncio.wait(waiting[1:], timeout=20)
    with pytest.raises(TooBusy):
        await waiting[1]
    painter.brush.set()
    await closing
    await waiting[0]
    assert len(painter.drawn) == 1
    pool.fill()
    with pytest.raises(TooBusy):
        await pool.take()


async def test_a_pool_that_was_never_asked_closes(painter: Painter, entropy: SeededEntropy) -> None:
    await CaptchaPool(painter, entropy).close()
    assert painter.drawn == []
