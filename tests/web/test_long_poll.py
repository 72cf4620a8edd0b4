"""The QR channel for pages that cannot have a socket: ``POST /qr/tickets`` and ``GET /qr/events``."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.browser import Browser
from tests.support.calls import Answer
from tests.support.program import Program, kinds

TICKETS = "/qr/tickets"


async def waiting(program: Program, browser: Browser, after: int, wait: int = 25) -> asyncio.Task[Answer]:
    """Return a poll that is under way."""
    poll = asyncio.create_task(browser.events(after, wait))
    await program.settle()
    return poll


@pytest.mark.req("UX-4", "LOG-2")
async def test_a_login_works_by_polling_alone(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    assert screen.message["type"] == "ticket"
    seq = int(screen.message["seq"])
    phone = await program.phone()

    poll = await waiting(program, browser, seq)
    scanned = await program.scanned(phone, screen)
    message = (await poll).json()
    assert (message["type"], message["who"]) == ("scanned", "陈**")
    assert message["seq"] > seq

    poll = await waiting(program, browser, message["seq"])
    assert (await phone.confirm(scanned)).status == 200
    approved = (await poll).json()
    assert approved["type"] == "approved"
    assert (await browser.redeem(approved["grant"])).status == 200
    assert await browser.who() == "陈**"


async def test_a_poll_that_hears_nothing_ends_in_204_when_its_time_is_over(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    poll = await waiting(program, browser, screen.message["seq"], 20)
    await program.advance(19)
    assert not poll.done()
    await program.advance(1)
    answer = await poll
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("Cache-Control") == "no-store"


async def test_no_poll_waits_longer_than_twenty_five_seconds(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    poll = await waiting(program, browser, screen.message["seq"], 999_999_999)
    await program.advance(25)
    assert (await poll).status == 204


async def test_a_poll_that_does_not_wait_answers_at_once(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    assert (await browser.events(screen.message["seq"], 0)).status == 204
    assert (await browser.events()).json() == screen.message


async def test_a_poll_says_the_state_of_now_not_of_its_start(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    poll = await waiting(program, browser, screen.message["seq"])
    await program.advance(7)
    await program.scanned(await program.phone(), screen, after=7)
    scanned = (await poll).json()
    assert scanned["expires_in"] == 60.0
    await program.advance(5)
    assert (await browser.events()).json() == scanned | {"expires_in": 55.0}


async def test_a_poll_is_told_of_the_next_code_by_the_clock(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    await program.advance(40)
    poll = await waiting(program, browser, screen.message["seq"])
    await program.advance(14)
    told = (await poll).json()
    assert told["type"] == "ticket"
    assert told["ticket"] != screen.ticket


async def test_a_poll_is_told_that_the_last_code_expired_and_asks_for_another(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    phone = await program.phone()
    await phone.reject(await program.scanned(phone, screen))
    rejected = (await browser.events(0, 0)).json()
    assert rejected["type"] == "rejected"
    assert (await browser.events(rejected["seq"], 0)).status == 204
    new = (await browser.tickets()).json()
    assert new["type"] == "ticket"
    assert new["seq"] > rejected["seq"]


async def test_tickets_answers_the_current_message_and_makes_no_second_ticket(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    await program.advance(3)
    again = (await browser.tickets()).json()
    assert again == screen.message | {"elapsed": 3.0, "expires_in": 57.0}


@pytest.mark.attack("W9")
async def test_polls_count_with_the_sockets_and_the_oldest_goes(program: Program) -> None:
    browser, first, screen = await program.opened()
    second = await program.socket(browser)
    again = await second.screen()
    poll = await waiting(program, browser, again.message["seq"])
    assert await first.ends() == 4004

    third = await program.socket(browser)
    await third.screen()
    assert await second.ends() == 4004

    fourth = await program.socket(browser)
    await fourth.screen()
    # The poll was answered as soon as a page connected, since that gives the message a new number.
    assert (await poll).json()["ticket"] == screen.ticket


async def test_a_poll_that_is_superseded_is_told_not_to_come_back(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    seq = int(screen.message["seq"]) + 100
    oldest = await waiting(program, browser, seq)
    others = [await waiting(program, browser, seq) for _ in range(2)]
    assert (await oldest).verdict == (409, "page_superseded")
    await program.advance(25)
    assert [(await poll).status for poll in others] == [204, 204]


@pytest.mark.attack("Q29")
async def test_a_poll_with_a_replaced_secret_ends(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    poll = await waiting(program, browser.copy(), screen.message["seq"])
    await browser.open()
    assert (await poll).verdict == (403, "browser_unknown")


@pytest.mark.attack("W1", "Q28")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_a_read_for_another_site_is_refused(program: Program, headers: dict[str, str], status: int) -> None:
    browser = await program.browser()
    await browser.screen()
    sent = browser.headers() | headers
    for path in ("/qr/events", "/qr/image", "/qr/state"):
        answer = await browser.caller.send("GET", path, headers=sent)
        assert answer.status == status, path
        assert answer.header("Access-Control-Allow-Origin") is None


@pytest.mark.attack("W4", "Q28")
@pytest.mark.parametrize("origin", [None, "null", "https://evil.example"])
async def test_a_ticket_is_made_for_a_page_of_ours_alone(program: Program, origin: str | None) -> None:
    browser = await program.browser()
    await browser.open()
    answer = await browser.caller.post(TICKETS, {"flow": browser.flow}, headers=browser.headers(origin))
    assert answer.verdict == (403, "origin_refused")
    assert not program.meddler.calls["tickets.add"]


@pytest.mark.attack("Q1", "Q22")
async def test_polls_know_only_the_flows_of_their_browser(program: Program) -> None:
    owner, stranger = await program.browser(), await program.browser()
    await owner.screen()
    await stranger.open()
    assert (await stranger.events(flow=owner.flow)).verdict == (403, "flow_unknown")
    assert (await stranger.tickets(owner.flow)).verdict == (403, "flow_unknown")
    stranger.cookies.clear()
    assert (await stranger.events(flow=owner.flow)).verdict == (403, "browser_unknown")
    assert (await stranger.tickets(owner.flow)).verdict == (403, "browser_unknown")


@pytest.mark.parametrize(("query", "field"), [("after=x", "after"), ("wait=-1", "wait"), ("after=٣", "after")])
async def test_numbers_are_plain_digits(program: Program, query: str, field: str) -> None:
    browser = await program.browser()
    await browser.screen()
    answer = await browser.caller.send("GET", f"/qr/events?{query}", headers=browser.headers())
    assert answer.verdict == (400, "invalid_request")
    assert answer.json()["errors"] == [{"field": field, "code": "invalid"}]


@pytest.mark.attack("Q23")
async def test_tickets_are_limited_for_a_browser(program: Program) -> None:
    browser, page, screen = await program.opened()
    for _ in range(11):
        await page.renew()
        screen = await page.screen()
    phone = await program.phone()
    await phone.reject(await program.scanned(phone, screen))
    await program.settle()
    answer = await browser.tickets()
    assert answer.verdict == (429, "rate_limited")
    assert answer.header("Retry-After") == "60"
    assert kinds(page.unread())[-1] == "rejected"


@pytest.mark.req("OPS-4")
async def test_an_outage_is_a_503_with_a_time_to_come_back(program: Program) -> None:
    browser = await program.browser()
    screen = await browser.screen()
    program.meddler.breaks("tickets")
    for answer in (await browser.tickets(), await browser.events()):
        assert answer.verdict == (503, "service_unavailable")
        assert answer.header("Retry-After") == "5"
    program.meddler.mends()
    assert (await browser.tickets()).json() == screen.message
