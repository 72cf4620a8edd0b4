"""Verifying by QR, and taking back: whose ticket it is, what it is good for, what ends with a session (B5, P7, R4)."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from tests.support.browser import SECRET, SESSION, Browser, Screen
from tests.support.calls import Caller
from tests.support.crowd import Crowd
from tests.support.forms import forms, send
from tests.support.login import approved, logged_in
from tests.support.phone import Phone, log_in

PAGE: Final = "/centre/verify/password"
SOON: Final = 2.0
"""Seconds within which the end of a session reaches its sockets."""


async def shown(browser: Browser, page: str = PAGE) -> Screen:
    """Open a page that verifies, and return the code it shows."""
    await browser.open(page)
    answer = await browser.tickets()
    assert answer.status == 200, answer
    return Screen(answer.json())


async def verified(browser: Browser, phone: Phone, page: str = PAGE) -> tuple[str, str | None]:
    """Let the phone confirm on such a page; return the grant and the two digits."""
    code = await phone.approves(await shown(browser, page))
    return str((await browser.message("approved"))["grant"]), code


async def is_proved(browser: Browser, page: str = PAGE) -> bool:
    """Tell whether the page leads on instead of showing a code."""
    answer = await browser.get(page)
    return answer.status == 303 and answer.header("Location") == page.replace("/verify/", "/")


async def ticket_of_login(caller: Caller, phone: Phone) -> tuple[Browser, str]:
    """Log in by QR; return the browser, and the ticket that its phone confirmed."""
    ready = await approved(caller, phone)
    assert (await ready.browser.redeem(ready.grant, ready.code)).status == 200
    return ready.browser, ready.screen.ticket


@pytest.mark.attack("P7", "W6")
async def test_whoever_confirmed_a_login_ends_it_from_the_phone_with_its_sockets(caller: Caller, crowd: Crowd) -> None:
    """The very next request says logged out, the socket is closed within two seconds, and none opens again."""
    phone = await crowd.phone(caller)
    browser, ticket = await ticket_of_login(caller, phone)
    await browser.open(PAGE)
    socket = await browser.connect()
    await socket.screen()
    assert (await phone.undo(ticket)).json() == {"status": "ended"}
    assert await browser.who() is None
    assert await socket.ends(within=SOON) == 4005
    assert await browser.knock() == 403
    assert (await browser.tickets()).status == 403
    assert (await browser.events()).status == 403


@pytest.mark.attack("P7", "Q9", "Q22")
async def test_nobody_takes_back_what_another_confirmed(caller: Caller, crowd: Crowd) -> None:
    """A ticket of another account is answered as one that never was."""
    phone, other = await crowd.phones(caller, 2)
    browser, ticket = await ticket_of_login(caller, phone)
    answers = [await other.undo(known) for known in (ticket, "A" * 22)]
    assert [answer.verdict for answer in answers] == [(404, "ticket_unknown")] * 2
    assert answers[0].body == answers[1].body
    assert await browser.who() is not None


@pytest.mark.attack("P7", "Q4")
async def test_a_redeem_that_races_with_the_taking_back_leaves_nobody_logged_in(caller: Caller, crowd: Crowd) -> None:
    """Whichever comes first: afterwards there is no session."""
    phone = await crowd.phone(caller)
    late = await approved(caller, phone)
    assert (await phone.undo(late.screen.ticket)).status == 200
    assert (await late.browser.redeem(late.grant, late.code)).verdict == (404, "ticket_unknown")
    for _ in range(5):
        ready = await approved(caller, phone)
        before = ready.browser.copy()
        redeemed, undone = await asyncio.gather(
            ready.browser.redeem(ready.grant, ready.code), phone.undo(ready.screen.ticket)
        )
        assert undone.status == 200
        assert redeemed.status in {200, 404}
        assert await ready.browser.who() is None
        assert (await before.redeem(ready.grant, ready.code)).verdict == (404, "ticket_unknown")


@pytest.mark.attack("P7", "T3")
async def test_a_phone_ends_sessions_of_its_own_account_alone(caller: Caller, crowd: Crowd) -> None:
    """By the ids of its own list; those of others are unknown to it."""
    phone, other = await crowd.phones(caller, 2)
    browser = await logged_in(caller, phone)
    listed = [device["id"] for device in await phone.devices() if device["kind"] == "browser"]
    assert not {device["id"] for device in await other.devices()} & set(listed)
    for session in listed:
        assert (await other.end(session)).verdict == (404, "session_unknown")
    assert await browser.who() is not None
    for session in listed:
        assert (await phone.end(session)).status == 204
    assert await browser.who() is None


@pytest.mark.attack("P7", "R4")
async def test_what_a_phone_confirmed_is_worth_nothing_once_it_is_logged_out(caller: Caller, crowd: Crowd) -> None:
    """Neither a session nor a proof, to whoever holds the page for the seconds that are left of it."""
    phone = await crowd.phone(caller)
    lost = await log_in(caller, phone.platform, phone.person)
    asking = await logged_in(caller, phone)
    ready, (grant, code) = await approved(caller, lost), await verified(asking, lost)
    (session,) = [device["id"] for device in await lost.devices() if device["current"]]
    assert (await phone.end(session)).status == 204
    assert (await ready.browser.redeem(ready.grant, ready.code)).verdict == (404, "ticket_unknown")
    assert await ready.browser.who() is None
    assert (await asking.redeem(grant, code)).verdict == (404, "ticket_unknown")
    assert not await is_proved(asking)
    assert await (await logged_in(caller, phone)).who() is not None


@pytest.mark.attack("P7", "R4")
async def test_what_was_confirmed_before_all_others_were_ended_opens_no_session(caller: Caller, crowd: Crowd) -> None:
    """Of a page that is about to come in nothing is listed yet, and it is ended with the rest."""
    phone = await crowd.apart(caller)
    owner = await logged_in(caller, phone)
    ready = await approved(caller, phone)
    (form,) = [form for form in forms(await owner.get("/centre/devices")) if form.acts == ["others"]]
    assert (await send(owner, form, "others")).status == 303
    assert (await ready.browser.redeem(ready.grant, ready.code)).verdict == (404, "ticket_unknown")
    assert await ready.browser.who() is None
    assert await owner.who() is not None


@pytest.mark.attack("B5")
async def test_the_code_of_anothers_change_is_refused_and_does_not_notice(caller: Caller, crowd: Crowd) -> None:
    """Whoever is shown somebody else's code cannot even take it; the owner still can."""
    phone, victim = await crowd.phones(caller, 2)
    browser = await logged_in(caller, phone)
    screen = await shown(browser)
    before = (await browser.tickets()).json()
    refused = await victim.scan(screen)
    assert (refused.verdict, refused.json()["reason"]) == ((403, "account_refused"), "other_account")
    after = (await browser.tickets()).json()
    assert (after["type"], after["ticket"], after["seq"]) == (before["type"], before["ticket"], before["seq"])
    taken = await phone.takes(screen)
    assert (taken["purpose"], taken["request"]["action"]) == ("verify", "verify.password")


@pytest.mark.attack("B5")
async def test_without_a_session_there_is_no_code_for_a_change(caller: Caller, crowd: Crowd) -> None:
    """Neither by the page, nor by a browser secret that was there while somebody was logged in."""
    stranger = Browser(caller)
    opened = await stranger.get(PAGE)
    assert (opened.status, opened.header("Location")) == (303, "/login")
    browser = await logged_in(caller, await crowd.phone(caller))
    await shown(browser)
    stranger.cookies[caller.to.cookie(SECRET)] = browser.secret or ""
    stranger.flow = browser.flow
    assert (await stranger.tickets()).verdict == (403, "flow_unknown")
    assert await stranger.knock() == 403


@pytest.mark.attack("Q18", "R4")
async def test_an_approval_does_what_its_page_was_opened_for_and_nothing_else(caller: Caller, crowd: Crowd) -> None:
    """A login's grant proves nothing, a verification's opens no session, and one operation's is none of another."""
    phone = await crowd.phone(caller)
    ready = await approved(caller, phone)
    browser = await logged_in(caller, phone)
    grant, code = await verified(browser, phone)

    for at in (ready.browser, browser):
        for other in (ready.grant, grant):
            without = at.copy()
            without.cookies.pop(caller.to.cookie(SESSION), None)
            if (at, other) != (ready.browser, ready.grant):
                assert (await without.redeem(other, code)).verdict == (404, "ticket_unknown")
                assert without.session is None
    assert (await browser.redeem(ready.grant, ready.code)).verdict == (404, "ticket_unknown")
    assert not await is_proved(browser)
    browser.flow = ""
    await shown(browser, "/centre/verify/mail")
    assert (await browser.redeem(grant, code)).status == 200
    assert await is_proved(browser)
    assert not await is_proved(browser, "/centre/verify/mail")


@pytest.mark.attack("Q18", "T3")
async def test_an_approval_is_worth_nothing_to_another_session_of_the_same_account(
    caller: Caller, crowd: Crowd
) -> None:
    """Not even in the browser that shows the code, once the session that asked is over."""
    phone = await crowd.phone(caller)
    first, second = await logged_in(caller, phone), await logged_in(caller, phone)
    grant, code = await verified(first, phone)
    mixed = first.copy()
    mixed.cookies[caller.to.cookie(SESSION)] = second.session or ""
    assert (await mixed.redeem(grant, code)).verdict == (404, "ticket_unknown")
    assert not await is_proved(mixed)
    assert (await mixed.tickets(flow=first.flow)).status == 403


@pytest.mark.attack("T1", "R4")
async def test_a_verification_gives_the_session_a_new_cookie_and_the_old_one_is_dead(
    caller: Caller, crowd: Crowd
) -> None:
    """Whoever took the cookie before has neither the session nor the proof."""
    phone = await crowd.phone(caller)
    browser = await logged_in(caller, phone)
    stolen = browser.copy()
    grant, code = await verified(browser, phone)
    assert (await browser.redeem(grant, code)).status == 200
    assert browser.session not in {None, stolen.session}
    assert await stolen.who() is None
    assert await is_proved(browser)
    assert (await browser.copy().redeem(grant, code)).verdict == (404, "ticket_unknown")


@pytest.mark.attack("P7", "R4")
async def test_a_verification_that_is_taken_back_ends_the_session_that_asked_for_it(
    caller: Caller, crowd: Crowd
) -> None:
    """Whoever asked was not the owner."""
    phone = await crowd.phone(caller)
    browser = await logged_in(caller, phone)
    screen = await shown(browser)
    code = await phone.approves(screen)
    grant = str((await browser.message("approved"))["grant"])
    assert (await browser.redeem(grant, code)).status == 200
    assert (await phone.undo(screen.ticket)).status == 200
    assert await browser.who() is None
