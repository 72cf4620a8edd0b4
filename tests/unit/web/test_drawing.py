"""Drawing pictures: a repeat costs nothing, and nobody has as many drawn as they like."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from unittest.mock import patch

import pytest

from bjidp.clock import ManualClock
from bjidp.errors import RateLimited, TooBusy
from bjidp.qrlogin.browser import Browser, FlowRef
from bjidp.qrlogin.flow import Client, Purposeful
from bjidp.qrlogin.matrix import Basis
from bjidp.qrlogin.messages import Frames
from bjidp.qrlogin.pages import Entry, Visitor
from bjidp.qrlogin.policy import Purpose
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.throttle.source import Source
from bjidp.web.qr import drawing
from bjidp.web.qr.drawing import AT_ONCE, KEPT, WAITING, Drawings
from tests.support.qr import COMPUTER


class Easel:
    """Draws nothing, slowly when told to: a drawing waits until the brush is given back."""

    def __init__(self) -> None:
        self.drawn: list[str] = []
        self.brush = threading.Event()
        self.brush.set()
        self.begun = threading.Semaphore(0)
        self.fails = False

    async def begins(self, within: float) -> bool:
        """Wait for the next drawing to begin."""
        return await asyncio.to_thread(self.begun.acquire, timeout=within)

    def __call__(self, basis: Basis, texts: Sequence[str], step: float, first: float, *, scanned: bool) -> bytes:
        self.drawn.append(texts[0] if texts else f"scanned: {scanned}")
        self.begun.release()
        assert self.brush.wait(20)
        if self.fails:
            raise ValueError
        return self.drawn[-1].encode()


@pytest.fixture
def easel() -> Iterator[Easel]:
    easel = Easel()
    with patch.object(drawing, "animated_image", easel):
        yield easel
    easel.brush.set()


@pytest.fixture
def drawings(clock: ManualClock, easel: Easel) -> Drawings:
    return Drawings(Basis("http://127.0.0.1:8080/q/"), MemoryThrottle(clock))


def frames(name: str) -> Frames:
    return Frames((name, f"{name}+1"), 1.0, 2.0)


def entry(browser: str = "one", address: str | None = None) -> Entry:
    about = Purposeful(Purpose.LOGIN, Client("x", "x"), "/")
    return Entry(Browser(browser, 1, 0, ()), FlowRef("flow", about), Visitor(COMPUTER, Source(address or browser)))


@pytest.mark.attack("W9")
async def test_a_repeat_is_not_drawn_again(drawings: Drawings, easel: Easel) -> None:
    for _ in range(50):
        assert await drawings.picture(frames("a"), entry()) == b"a"
    assert easel.drawn == ["a"]


async def test_what_was_scanned_and_what_expired_are_two_pictures(drawings: Drawings, easel: Easel) -> None:
    for _ in range(2):
        for scanned in (True, False):
            picture = await drawings.picture(Frames((), 0.0, 0.0, scanned=scanned), entry())
            assert picture == f"scanned: {scanned}".encode()
    assert len(easel.drawn) == 2


@pytest.mark.attack("W9")
async def test_fifty_at_once_are_drawn_once_and_counted_once(drawings: Drawings, easel: Easel) -> None:
    pictures = await asyncio.gather(*(drawings.picture(frames("a"), entry()) for _ in range(50)))
    assert set(pictures) == {b"a"}
    assert easel.drawn == ["a"]


@pytest.mark.attack("W9")
async def test_a_browser_has_twelve_drawn_a_minute(drawings: Drawings, easel: Easel, clock: ManualClock) -> None:
    for number in range(12):
        await drawings.picture(frames(f"a{number}"), entry())
    with pytest.raises(RateLimited):
        await drawings.picture(frames("more"), entry())
    assert await drawings.picture(frames("a11"), entry()) == b"a11", "what is drawn already is no drawing"
    assert await drawings.picture(frames("other"), entry("two")) == b"other"
    assert len(easel.drawn) == 13
    clock.advance(60)
    assert await drawings.picture(frames("more"), entry()) == b"more"


@pytest.mark.attack("W9")
async def test_an_address_has_six_hundred_drawn_a_minute(drawings: Drawings) -> None:
    for number in range(600):
        await drawings.picture(frames(f"a{number}"), entry(f"browser {number // 10}", "address"))
    with pytest.raises(RateLimited):
        await drawings.picture(frames("more"), entry("new", "address"))
    assert await drawings.picture(frames("more"), entry("new", "another address")) == b"more"


@pytest.mark.attack("W9")
async def test_who_finds_too_many_waiting_is_sent_away(drawings: Drawings, easel: Easel) -> None:
    easel.brush.clear()
    waiting = [
        asyncio.create_task(drawings.picture(frames(f"a{number}"), entry(str(number))))
        for number in range(AT_ONCE + WAITING)
    ]
    await asyncio.sleep(0)
    with pytest.raises(TooBusy) as busy:
        await drawings.picture(frames("more"), entry("more"))
    assert busy.value.retry_after > 0
    easel.brush.set()
    assert len(await asyncio.gather(*waiting)) == AT_ONCE + WAITING
    assert await drawings.picture(frames("more"), entry("more")) == b"more"


async def test_two_are_drawn_at_once(drawings: Drawings, easel: Easel) -> None:
    easel.brush.clear()
    waiting = [asyncio.create_task(drawings.picture(frames(f"a{number}"), entry())) for number in range(5)]
    assert [await easel.begins(20) for _ in range(AT_ONCE)] == [True, True]
    assert not await easel.begins(0.05)
    easel.brush.set()
    await asyncio.gather(*waiting)


async def test_whoever_hangs_up_leaves_the_picture_to_the_others(drawings: Drawings, easel: Easel) -> None:
    easel.brush.clear()
    first, second = (asyncio.create_task(drawings.picture(frames("a"), entry())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    easel.brush.set()
    assert await second == b"a"
    assert first.cancelled()


async def test_a_drawing_that_failed_is_not_kept(drawings: Drawings, easel: Easel) -> None:
    easel.fails = True
    with pytest.raises(ValueError):
        await drawings.picture(frames("a"), entry())
    easel.fails = False
    assert await drawings.picture(frames("a"), entry()) == b"a"


async def test_few_pictures_are_kept(drawings: Drawings, easel: Easel) -> None:
    for number in range(KEPT + 1):
        await drawings.picture(frames(f"a{number}"), entry(str(number)))
    await drawings.picture(frames(f"a{KEPT}"), entry())
    assert len(easel.drawn) == KEPT + 1
    await drawings.picture(frames("a0"), entry())
    assert len(easel.drawn) == KEPT + 2
