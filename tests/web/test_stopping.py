"""A server that stops: every page is told at once, whatever it is doing."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.program import Program


@pytest.mark.req("OPS-4")
async def test_a_parked_poll_is_answered_at_once(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    poll = asyncio.create_task(browser.events(screen.message["seq"], 25))
    await program.settle()
    assert not poll.done()
    await program.runners[0].shutdown()
    assert (await asyncio.wait_for(poll, 5)).status == 204


@pytest.mark.req("OPS-4")
async def test_a_poll_that_comes_too_late_does_not_park(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    await program.runners[0].shutdown()
    assert (await asyncio.wait_for(browser.events(screen.message["seq"], 25), 5)).status == 204
    # What there is to say is said all the same.
    assert (await browser.events()).json()["ticket"] == screen.ticket


@pytest.mark.req("OPS-4")
async def test_a_socket_that_opens_while_the_others_are_told_is_told_too(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    program.meddler.before_next("tickets.add", program.runners[0].shutdown)
    page = await program.socket(browser)
    assert await page.ends() == 1012
