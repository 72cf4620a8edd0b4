"""Two processes over the same stores: what a phone confirms on one, a page on the other is told (OPS-3)."""

from __future__ import annotations

import pytest

from tests.support.browser import Browser
from tests.support.program import Program
from tests.web.conftest import StartProgram


@pytest.fixture
async def program(start_program: StartProgram) -> Program:
    return await start_program(processes=2)


async def on(program: Program, process: int, browser: Browser) -> Browser:
    """Return the same browser, whose next connections reach another process."""
    moved = browser.copy()
    moved.caller = await program.caller(process=process)
    return moved


@pytest.mark.req("OPS-3", "LOG-2")
async def test_a_page_on_one_process_is_pushed_what_a_phone_does_on_the_other(program: Program) -> None:
    browser, page, screen = await program.opened(process=0)
    phone = await program.phone(process=1)
    scanned = await program.scanned(phone, screen)
    assert (await page.next("scanned"))["who"] == "陈**"
    assert (await phone.confirm(scanned)).status == 200
    approved = await page.next("approved")

    there = await on(program, 1, browser)
    assert (await there.redeem(approved["grant"])).status == 200
    assert await page.ends() == 1000
    assert await (await on(program, 0, there)).who() == "陈**"


@pytest.mark.req("OPS-3", "SES-1")
@pytest.mark.attack("W6", "P7")
@pytest.mark.parametrize("ends", ["undo", "from the list"])
async def test_a_session_ended_on_one_process_ends_its_pages_on_the_other(program: Program, ends: str) -> None:
    phone = await program.phone(process=1)
    browser, _, message = await program.approved(phone)
    await browser.redeem(message["grant"])
    await browser.open("/centre/verify/password")
    page = await program.socket(browser)
    await page.screen()
    if ends == "undo":
        assert (await phone.undo(message["ticket"])).status == 200
    else:
        (device,) = [device for device in await phone.devices() if device["kind"] == "browser"]
        assert (await phone.end(device["id"])).status == 204
    assert await page.ends(within=2) == 4005
    assert await browser.who() is None


async def test_numbers_rise_over_reconnects_between_processes(program: Program) -> None:
    browser, page, screen = await program.opened(process=0)
    seqs = [screen.message["seq"]]
    for process in (1, 0, 1):
        page = await program.socket(await on(program, process, browser))
        again = await page.screen()
        assert again.ticket == screen.ticket
        seqs.append(again.message["seq"])
    assert seqs == sorted(set(seqs))


@pytest.mark.attack("W9")
async def test_a_third_socket_on_another_process_sends_the_oldest_away(program: Program) -> None:
    browser, oldest, _ = await program.opened(process=0)
    second = await program.socket(await on(program, 1, browser))
    await second.next("ticket")
    third = await program.socket(await on(program, 1, browser))
    await third.next("ticket")
    assert await oldest.ends() == 4004
    assert second.is_open


async def test_the_clock_renews_once_however_many_processes_watch(program: Program) -> None:
    browser, first, _ = await program.opened(process=0)
    second = await program.socket(await on(program, 1, browser))
    await second.next("ticket")
    await program.advance(54)
    shown = [message for message in (*first.unread(), *second.unread()) if message["type"] == "ticket"]
    assert len(shown) == 2
    assert len({message["ticket"] for message in shown}) == 1


@pytest.mark.attack("Q29")
async def test_a_navigation_on_one_process_sends_the_sockets_of_the_other_back(program: Program) -> None:
    browser, page, _ = await program.opened(process=0)
    await (await on(program, 1, browser)).open()
    assert await page.ends() == 1012


@pytest.mark.req("OPS-4")
async def test_a_live_ticket_survives_the_restart_of_the_process_that_showed_it(program: Program) -> None:
    browser, page, screen = await program.opened(process=0)
    phone = await program.phone(process=1)
    scanned = await program.scanned(phone, screen)
    await page.next("scanned")
    await program.runners[0].shutdown()
    assert await page.ends() == 1012

    page = await program.socket(await on(program, 1, browser))
    await page.next("scanned")
    assert (await phone.confirm(scanned)).status == 200
    await page.next("approved")


@pytest.mark.attack("O5", "Q23")
async def test_a_limit_is_one_for_all_processes(program: Program) -> None:
    browser, page, _ = await program.opened(process=0)
    other = await program.socket(await on(program, 1, browser))
    await other.next("ticket")
    for count in range(12):
        await (page if count % 2 else other).renew()
        await program.settle()
    assert [socket.is_open for socket in (page, other)].count(False) == 1
