"""The QR channel's socket against the real application (wire.md, section 2)."""

from __future__ import annotations

import re

import pytest

from bjidp.web.qr.watcher_socket import pulse
from tests.support.browser import Screen
from tests.support.program import LiveSocket, Program, always_a_code, kinds
from tests.web.conftest import StartProgram

OVERLAP = 6
SCAN = 60
RECORD = 15 * 60


async def scans(program: Program, screen: Screen, *, after: float = 0) -> None:
    """Let a phone scan a code that came up ``after`` seconds ago, without waiting for the page."""
    await program.scanned(await program.phone(), screen, after=after)


# ------------------------------------------------------------------------------------------------ before the upgrade


@pytest.mark.attack("W1", "W2", "W3", "W4")
@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", "{url}/", "{url}.evil.example", "{url}0", "https{rest}", "HTTP{rest}"],
)
async def test_a_page_of_another_origin_gets_no_socket(program: Program, origin: str | None) -> None:
    browser = await program.browser()
    await browser.open()
    presented = None if origin is None else origin.format(url=program.url, rest=program.url.removeprefix("http"))
    assert await browser.knock(origin=presented) == 403
    assert not program.meddler.calls["tickets.add"]


@pytest.mark.parametrize("protocol", ["", "bjidp.qr.v2", "BJIDP.QR.V1"])
async def test_a_socket_needs_the_subprotocol(program: Program, protocol: str) -> None:
    browser = await program.browser()
    await browser.open()
    assert await browser.knock(protocol=protocol) == 400


async def test_the_subprotocol_is_agreed_to_among_others(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    socket = await browser.caller.upgrade(
        f"/qr/channel?flow={browser.flow}", protocols=("x", "bjidp.qr.v1"), headers=browser.headers(program.url)
    )
    assert not isinstance(socket, int)
    assert socket.protocol == "bjidp.qr.v1"
    await socket.close()


@pytest.mark.attack("Q1", "W7")
async def test_a_flow_of_another_browser_is_unknown(program: Program) -> None:
    owner, stranger = await program.browser(), await program.browser()
    await owner.open()
    await stranger.open()
    assert await stranger.knock(owner.flow) == 403
    assert await stranger.knock("no-such-flow") == 403


@pytest.mark.attack("Q1")
@pytest.mark.parametrize("secret", [None, "", "A" * 43, "x" * 42, "x" * 4000])
async def test_a_browser_without_a_record_gets_no_socket(program: Program, secret: str | None) -> None:
    browser = await program.browser()
    await browser.open()
    name = program.deployments[0].cookie("bjidp_browser")
    browser.cookies = {} if secret is None else {name: secret}
    assert await browser.knock() == 403


async def test_without_a_flow_the_newest_is_watched(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    browser.flow = ""
    socket = await browser.caller.upgrade(
        "/qr/channel", protocols=("bjidp.qr.v1",), headers=browser.headers(program.url)
    )
    assert not isinstance(socket, int)
    await LiveSocket(socket).next("ticket")
    await socket.close()


@pytest.mark.attack("Q28")
async def test_a_browser_that_is_logged_in_gets_no_login_ticket(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    stale = browser.copy()
    stale.cookies |= (await program.signed_in()).cookies | browser.cookies
    assert await stale.knock() == 409


async def test_a_request_that_asks_for_no_upgrade_is_told_so_as_a_problem(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    answer = await browser.caller.send(
        "GET",
        f"/qr/channel?flow={browser.flow}",
        headers=browser.headers(program.url) | {"Sec-WebSocket-Protocol": "bjidp.qr.v1"},
    )
    assert answer.verdict == (400, "invalid_request")


async def test_a_store_that_is_down_refuses_the_upgrade_in_words(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    program.meddler.breaks("browsers")
    assert await browser.knock() == 503


# ---------------------------------------------------------------------------------------------- what the page is told


@pytest.mark.req("LOG-2")
async def test_a_login_is_told_message_by_message(program: Program) -> None:
    browser, page, screen = await program.opened()
    assert screen.message == {
        "type": "ticket",
        "ticket": screen.ticket,
        "seq": 1,
        "purpose": "login",
        "prefix": f"{program.url}/q/",
        "key": screen.message["key"],
        "step": 2.0,
        "elapsed": 0.0,
        "expires_in": 60.0,
    }
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", screen.ticket)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", screen.message["key"])

    phone = await program.phone()
    await program.advance(11)
    answer = await phone.scan(screen.frame(5))
    assert answer.status == 200
    assert await page.next() == {
        "type": "scanned",
        "ticket": screen.ticket,
        "seq": 2,
        "platform": "wechat",
        "who": "陈**",
        "expires_in": 60.0,
    }

    await program.advance(3)
    assert (await phone.confirm(answer.json())).status == 200
    approved = await page.next()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", approved["grant"])
    assert approved == {
        "type": "approved",
        "ticket": screen.ticket,
        "seq": 3,
        "grant": approved["grant"],
        "code_required": False,
        "expires_in": 30.0,
    }

    answer = await browser.redeem(approved["grant"])
    assert (answer.status, answer.json()) == (200, {"next": "/centre"})
    assert await page.ends() == 1000
    assert kinds(page.heard) == ["ticket", "scanned", "approved"]


async def test_a_refusal_on_the_phone_is_told_and_final(program: Program) -> None:
    _, page, screen = await program.opened()
    phone = await program.phone()
    scanned = await program.scanned(phone, screen)
    await page.next("scanned")
    assert (await phone.reject(scanned)).status == 200
    assert await page.next() == {"type": "rejected", "ticket": screen.ticket, "seq": 3, "reason": "person"}

    await program.advance(120)
    assert set(kinds(page.unread())) == {"alive"}


@pytest.mark.attack("P9")
async def test_three_wrong_codes_are_told_as_a_rejection(start_program: StartProgram) -> None:
    program = await start_program(settings=always_a_code)
    browser, page, message = await program.approved()
    assert message["code_required"] is True
    assert message["expires_in"] == 90.0
    wrong = "00" if program.code != "00" else "01"
    for left in (2, 1, 0):
        answer = await browser.redeem(message["grant"], wrong)
        assert answer.verdict == (422, "code_wrong")
        assert answer.json()["tries_left"] == left
    assert (await page.next("rejected"))["reason"] == "code"


async def test_alive_is_said_after_twenty_seconds_of_silence(program: Program) -> None:
    _, page, _ = await program.opened()
    await program.advance(19)
    assert page.unread() == []
    await program.advance(1)
    assert await page.next() == {"type": "alive"}
    await program.advance(20)
    assert await page.next() == {"type": "alive"}


@pytest.mark.parametrize(("due", "told"), [(20.0, 20.0), (20.01, 20.25), (20.25, 20.25), (1e6 + 20.1, 1e6 + 20.25)])
def test_pages_that_are_due_within_a_pulse_are_told_at_its_end(due: float, told: float) -> None:
    assert pulse(due) == told


async def test_two_sockets_hear_the_same_and_the_current_message_comes_again(program: Program) -> None:
    browser, first, screen = await program.opened()
    second = await program.socket(browser)
    again = await second.screen()
    assert again.ticket == screen.ticket
    assert again.message["seq"] > screen.message["seq"]
    await program.scanned(await program.phone(), screen)
    heard = await first.next("scanned")
    assert await second.next("scanned") == heard
    assert first.unread() == []


@pytest.mark.attack("W11")
async def test_who_reconnects_is_told_the_approval_again_and_redeems_once(program: Program) -> None:
    browser, page, message = await program.approved()
    await page.close()
    await program.advance(4)
    page = await program.socket(browser)
    again = await page.next("approved")
    assert again == message | {"seq": again["seq"], "expires_in": 26.0}
    assert again["seq"] > message["seq"]
    assert (await browser.copy().redeem(again["grant"])).status == 200
    assert (await browser.redeem(message["grant"])).verdict == (404, "ticket_unknown")


# ------------------------------------------------------------------------------------------------------- renewing


async def test_renew_shows_a_new_code_and_supersedes_the_old(program: Program) -> None:
    _, page, screen = await program.opened()
    await page.renew()
    new = await page.screen()
    assert new.ticket != screen.ticket
    assert new.message["seq"] > screen.message["seq"]
    assert (await (await program.phone()).scan(program.frame(screen))).verdict == (409, "ticket_closed")


async def test_renew_after_a_scan_takes_the_ticket_from_the_phone(program: Program) -> None:
    _, page, screen = await program.opened()
    phone = await program.phone()
    scanned = await program.scanned(phone, screen)
    await page.next("scanned")
    await page.renew()
    await page.next("ticket")
    assert (await phone.confirm(scanned)).verdict == (409, "ticket_closed")


async def test_renew_does_nothing_while_an_approval_waits(program: Program) -> None:
    browser, page, message = await program.approved()
    await page.renew()
    await program.settle()
    assert page.unread() == []
    assert (await browser.redeem(message["grant"])).status == 200


@pytest.mark.attack("Q23")
async def test_the_thirteenth_code_in_a_minute_closes_the_socket(program: Program) -> None:
    browser, page, screen = await program.opened()
    await program.advance(10)
    for _ in range(11):
        await page.renew()
        screen = await page.screen()
    await page.renew()
    assert await page.ends() == 4029
    assert page.reason == "50"

    await program.advance(50)
    page = await program.socket(browser)
    assert (await page.screen()).ticket == screen.ticket
    await page.renew()
    assert (await page.screen()).ticket != screen.ticket


@pytest.mark.req("OPS-4")
async def test_a_new_code_that_a_store_cannot_take_can_be_asked_for_again(program: Program) -> None:
    _, page, screen = await program.opened()
    program.meddler.breaks("tickets.read")
    await page.renew()
    await program.settle()
    program.meddler.mends()
    await page.renew()
    assert (await page.screen()).ticket != screen.ticket


@pytest.mark.attack("Q23")
async def test_a_browser_that_used_up_its_codes_is_told_how_long_to_wait(program: Program) -> None:
    browser, page, screen = await program.opened()
    for _ in range(11):
        await page.renew()
        screen = await page.screen()
    phone = await program.phone()
    assert (await phone.reject(await program.scanned(phone, screen))).status == 200
    await browser.open()
    page = await program.socket(browser)
    assert await page.ends() == 4029
    assert page.reason == "60"


async def test_the_next_code_comes_six_seconds_early_and_the_old_one_still_counts(program: Program) -> None:
    _, page, old = await program.opened()
    await program.advance(SCAN - OVERLAP - 1)
    assert kinds(page.unread()) == ["alive", "alive"]
    await program.advance(1)
    new = await page.screen()
    assert new.ticket != old.ticket
    assert (new.message["elapsed"], new.message["expires_in"]) == (0.0, 60.0)

    await program.advance(4)
    await scans(program, old, after=SCAN - 2)
    told = await page.next("scanned")
    assert told["ticket"] == old.ticket
    assert told["seq"] > new.message["seq"]
    assert (await (await program.phone()).scan(new.frame(2))).verdict == (409, "ticket_closed")


async def test_the_old_code_is_over_at_its_own_deadline(program: Program) -> None:
    _, page, old = await program.opened()
    await program.advance(SCAN)
    assert kinds(page.unread()) == ["alive", "alive", "ticket"]
    assert (await (await program.phone()).scan(old.frame(29))).verdict == (410, "ticket_expired")


async def test_codes_are_renewed_five_times_and_then_the_page_asks(program: Program) -> None:
    _, page, first = await program.opened()
    shown = [first.message]
    for _ in range(5):
        await program.advance(SCAN - OVERLAP)
        shown += [message for message in page.unread() if message["type"] == "ticket"]
    assert len({message["ticket"] for message in shown}) == 6

    await program.advance(SCAN)
    told = [message for message in page.unread() if message["type"] != "alive"]
    last = shown[-1]
    assert told == [{"type": "expired", "ticket": last["ticket"], "seq": last["seq"] + 1, "renewed": False}]
    assert [message["seq"] for message in shown] == sorted({message["seq"] for message in shown})

    await program.advance(60)
    assert set(kinds(page.unread())) == {"alive"}
    await page.renew()
    new = await page.next("ticket")
    assert new["seq"] > told[0]["seq"]


@pytest.mark.attack("Q15")
async def test_a_scan_that_nobody_confirms_expires_and_a_new_code_follows(program: Program) -> None:
    _, page, screen = await program.opened()
    phone = await program.phone()
    await program.advance(10)
    scanned = (await phone.scan(screen.frame(5))).json()
    told = await page.next("scanned")
    await program.advance(59)
    assert set(kinds(page.unread())) == {"alive"}
    await program.advance(1)
    expired, new = await page.next(), await page.next()
    assert expired == {"type": "expired", "ticket": screen.ticket, "seq": told["seq"] + 1, "renewed": True}
    assert (new["type"], new["seq"]) == ("ticket", told["seq"] + 2)
    assert new["ticket"] != screen.ticket
    assert (await phone.confirm(scanned)).verdict == (410, "ticket_expired")


async def test_an_approval_that_is_not_redeemed_expires_and_a_new_code_follows(program: Program) -> None:
    browser, page, message = await program.approved()
    await program.advance(30)
    told = [told for told in page.unread() if told["type"] != "alive"]
    assert kinds(told) == ["expired", "ticket"]
    assert told[0]["renewed"] is True
    assert (await browser.redeem(message["grant"])).verdict == (404, "ticket_unknown")


# --------------------------------------------------------------------------------------------------- how it closes


@pytest.mark.attack("W9", "Q29")
async def test_a_third_socket_sends_the_oldest_away(program: Program) -> None:
    browser, oldest, _ = await program.opened()
    second, third = await program.socket(browser), await program.socket(browser)
    assert await oldest.ends() == 4004
    await second.next("ticket")
    await third.next("ticket")
    await program.settle()
    assert second.is_open
    assert third.is_open


async def test_a_socket_that_left_makes_room(program: Program) -> None:
    browser, stays, _ = await program.opened()
    for _ in range(4):
        page = await program.socket(browser)
        await page.next("ticket")
        await page.close()
        await program.settle()
    assert stays.is_open


@pytest.mark.attack("W9")
@pytest.mark.parametrize(("size", "code"), [(4096, None), (4097, 1009), (1 << 17, 1009)])
async def test_frames_beyond_four_kibibytes_close_the_socket(program: Program, size: int, code: int | None) -> None:
    _, page, _ = await program.opened()
    await page.ws.send_str("x" * size)
    if code is None:
        await page.renew()
        await page.next("ticket")
    else:
        assert await page.ends() == code


@pytest.mark.attack("W5", "W8")
async def test_whatever_else_a_page_says_is_ignored(program: Program) -> None:
    _, page, screen = await program.opened()
    for said in (
        "",
        "{}",
        "[" * 2000,
        '{"type":"renew","ticket":"x"}',
        '{"type":"login","password":"x"}',
        f'{{"type":"subscribe","ticket":"{screen.ticket}"}}',
        '{"type":["renew"]}',
    ):
        await page.ws.send_str(said)
    await page.ws.send_bytes(b'{"type":"renew"}')
    await program.settle()
    assert page.unread() == []
    await page.renew()
    await page.next("ticket")


@pytest.mark.attack("W9")
async def test_a_page_that_talks_without_end_is_closed(program: Program) -> None:
    _, page, _ = await program.opened()
    for _ in range(201):
        await page.ws.send_str("{}")
    assert await page.ends() == 4029
    assert page.reason == "60"
    assert kinds(page.heard) == ["ticket"]


@pytest.mark.attack("Q29")
async def test_a_new_navigation_sends_old_sockets_back_with_the_new_cookie(program: Program) -> None:
    browser, page, screen = await program.opened()
    old = browser.copy()
    await program.advance(8)
    await browser.open()
    assert await page.ends() == 1012
    assert browser.secret != old.secret
    assert browser.flow == old.flow
    assert await old.knock() == 403

    page = await program.socket(browser)
    again = await page.screen()
    assert again.ticket == screen.ticket
    assert (again.message["elapsed"], again.message["expires_in"]) == (8.0, 52.0)
    assert again.message["seq"] > screen.message["seq"]


@pytest.mark.attack("Q29")
async def test_a_secret_that_is_replaced_while_its_socket_opens_is_sent_back(program: Program) -> None:
    browser, page, _ = await program.opened()
    await page.close()
    await program.settle()
    other_tab = browser.copy()
    program.meddler.before_next("tickets.read", other_tab.open)
    page = await program.socket(browser)
    assert await page.ends() == 1012


@pytest.mark.attack("W6")
async def test_redeem_closes_every_socket_of_the_browser(program: Program) -> None:
    browser, first, message = await program.approved()
    second = await program.socket(browser)
    await second.next("approved")
    assert (await browser.redeem(message["grant"])).status == 200
    assert await first.ends() == 1000
    assert await second.ends() == 1000


@pytest.mark.attack("W6")
async def test_log_out_closes_the_sockets(program: Program) -> None:
    browser, page, _ = await program.opened()
    assert (await browser.submit("/logout", {"csrf": browser.csrf})).status == 200
    assert await page.ends() == 4005


async def test_a_socket_ends_with_its_browser_record(program: Program) -> None:
    _, page, _ = await program.opened()
    await program.advance(RECORD - 1)
    assert page.is_open
    await program.advance(1)
    assert await page.ends() == 4003


async def test_the_record_ends_fifteen_minutes_after_the_navigation_not_the_connect(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    await program.advance(RECORD - 20)
    page = await program.socket(browser)
    await page.next("ticket")
    await program.advance(20)
    assert await page.ends() == 4003


@pytest.mark.req("OPS-4")
async def test_a_server_that_stops_tells_every_socket_to_come_back(program: Program) -> None:
    _, page, _ = await program.opened()
    await program.runners[0].shutdown()
    assert await page.ends() == 1012


async def test_a_page_that_does_not_answer_pings_is_cut_off(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    deaf = await browser.knock()
    assert not isinstance(deaf, int)
    deaf._autoping = False
    page = LiveSocket(deaf)
    program.sockets.append(page)
    await page.next("ticket")
    await program.advance(25 + 13 + 5)
    assert await page.ends() == 1006


@pytest.mark.req("OPS-4")
async def test_a_store_that_fails_between_two_looks_delays_the_message(program: Program) -> None:
    _, page, screen = await program.opened()
    program.meddler.breaks("tickets.read")
    await scans(program, screen)
    await program.settle()
    assert page.unread() == []
    program.meddler.mends()
    await program.advance(3)
    await page.next("scanned")


@pytest.mark.req("OPS-4")
async def test_a_store_that_fails_after_the_upgrade_sends_the_page_back(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    program.meddler.breaks("tickets")
    page = await program.socket(browser)
    assert await page.ends() == 1012


async def test_a_renewal_the_store_does_not_take_leaves_the_old_code(program: Program) -> None:
    _, page, screen = await program.opened()
    program.meddler.breaks("tickets.replace")
    await page.renew()
    await program.settle()
    assert page.is_open
    program.meddler.mends()
    await scans(program, screen)
    await page.next("scanned")
