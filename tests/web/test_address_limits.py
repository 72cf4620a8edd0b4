"""What one address may do and hold, and what its limits are where many people share it."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bjidp.config.settings import Networks, Settings
from bjidp.throttle.ports import per_minute
from bjidp.web.login import opening as login
from bjidp.web.qr import channel
from tests.support.browser import Browser
from tests.support.program import LiveSocket, Program
from tests.web.conftest import StartProgram


def behind_one_address(settings: Settings) -> Settings:
    """Say that many people share the address that every test calls from."""
    return replace(settings, networks=Networks(shared=["127.0.0.0/8"]))


def lifted(settings: Settings) -> Settings:
    """Lift the limits by address."""
    return replace(settings, server=replace(settings.server, load=True))


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an address hold two pages open, and open four a minute."""
    monkeypatch.setattr(channel, "ADDRESS_OPEN", 2)
    monkeypatch.setattr(login, "OPENED", per_minute(4))


async def visitor(program: Program) -> Browser:
    browser = await program.browser()
    await browser.open()
    return browser


async def parked(program: Program, browser: Browser) -> asyncio.Task[object]:
    """Return a poll that waits for news."""
    seq = (await browser.screen()).message["seq"]
    poll: asyncio.Task[object] = asyncio.ensure_future(browser.events(seq, 25))
    await program.settle()
    return poll


async def sees_a_code(page: LiveSocket) -> bool:
    """Tell whether a socket shows a code, and is not closed for being one too many."""
    try:
        await page.next("ticket")
    except AssertionError:
        assert await page.ends() == 4029
        assert page.reason == "60"
        return False
    return True


@pytest.mark.attack("W9")
async def test_sockets_and_parked_polls_of_an_address_count_together(program: Program) -> None:
    polling, watching, late = [await visitor(program) for _ in range(3)]
    poll = await parked(program, polling)
    page = await program.socket(watching)
    assert await sees_a_code(page)

    assert not await sees_a_code(await program.socket(late))
    refused = await late.events(0, 25)
    assert refused.verdict == (429, "rate_limited")
    assert refused.header("Retry-After") == "60"

    await program.advance(25)
    await poll
    assert await sees_a_code(await program.socket(late))


@pytest.mark.attack("W9", "O4")
async def test_sockets_that_open_at_once_do_not_slip_past_together(program: Program) -> None:
    browsers = [await visitor(program) for _ in range(4)]
    pages = await asyncio.gather(*(program.socket(browser) for browser in browsers))
    assert [await sees_a_code(page) for page in pages].count(True) == 2


async def test_behind_a_shared_address_ten_times_as_much_is_open(start_program: StartProgram) -> None:
    program = await start_program(settings=behind_one_address)
    pages = [await program.socket(await visitor(program)) for _ in range(5)]
    assert [await sees_a_code(page) for page in pages] == [True] * 5


@pytest.mark.attack("Q23")
async def test_pages_are_opened_ten_times_as_often_behind_a_shared_address(start_program: StartProgram) -> None:
    program = await start_program(settings=behind_one_address)
    browser = await program.browser()
    statuses = [(await browser.get("/login")).status for _ in range(41)]
    assert statuses == [200] * 40 + [429]


@pytest.mark.attack("Q23")
async def test_pages_are_opened_as_often_as_the_limit_says(program: Program) -> None:
    browser = await program.browser()
    assert [(await browser.get("/login")).status for _ in range(5)] == [200] * 4 + [429]


async def test_under_load_no_address_is_limited(start_program: StartProgram) -> None:
    program = await start_program(settings=lifted)
    pages = [await program.socket(await visitor(program)) for _ in range(6)]
    assert [await sees_a_code(page) for page in pages] == [True] * 6
