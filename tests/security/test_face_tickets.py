"""A face for a level: whose it has to be, for which ticket, how often, and what comes of it (B1-B7, Q18)."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tests.security.conftest import Own
from tests.security.test_verify import is_proved, shown, verified
from tests.support.browser import SESSION, Browser, Screen
from tests.support.calls import Caller
from tests.support.crowd import Crowd
from tests.support.login import approved, logged_in
from tests.support.phone import Phone, before_the_camera

PAGE: Final = "/centre/face"
VERIFY: Final = "/centre/verify/face"
CLAIMS: Final[tuple[dict[str, Any], ...]] = (
    {"passed": True},
    {"errcode": 0, "verify_ret": 10000},
    {"verification": "somebody-elses"},
    {"face": {"outcome": "pass"}},
)
PERSONS: Final[tuple[dict[str, Any], ...]] = (
    {"name": "李思远", "document_number": "100105200107234157"},
    {"document_type": "resident_id"},
    {"cert_hash": "0" * 64},
    {"open_id": "somebody"},
)


async def at_the_code(browser: Browser, phone: Phone) -> Screen:
    """Be verified for 人脸识别认证, and open the page with its code."""
    grant, code = await verified(browser, phone, VERIFY)
    assert (await browser.redeem(grant, code)).status == 200
    leading = await browser.get(PAGE)
    assert leading.status == 303
    return await shown(browser, leading.header("Location") or "")


async def granted(browser: Browser, phone: Phone, screen: Screen) -> tuple[str, str | None]:
    """Let the phone show its face and confirm; return the grant and the two digits."""
    scanned = await phone.takes(screen)
    await phone.shows_face(scanned)
    answer = await phone.confirm(scanned)
    assert answer.status == 200, answer
    return str((await browser.message("approved"))["grant"]), answer.json()["code"]


@pytest.mark.attack("B1", "B4")
@pytest.mark.req("RNV-3")
async def test_neither_a_pass_nor_a_person_is_taken_from_the_phone(caller: Caller, crowd: Crowd) -> None:
    """The platform is asked by the server, about the account's own identity: a body has room for neither."""
    phone = await crowd.phone(caller)
    browser = await logged_in(caller, phone)
    scanned = await phone.takes(await at_the_code(browser, phone))
    body = {"ticket": scanned["ticket"], "confirm_token": scanned["confirm_token"]}
    for person in PERSONS:
        assert (await phone.call("face", body | person)).verdict == (400, "invalid_request")
    assert (await phone.confirm(scanned)).verdict == (409, "face_pending")
    started = await phone.starts_face(scanned)
    assert started.status == 200
    for claim in CLAIMS:
        assert (await phone.call("confirm", body | claim)).verdict == (400, "invalid_request")
    assert (await phone.confirm(scanned)).verdict == (409, "face_pending")
    await before_the_camera(caller, started.json()["face"]["verification"], "fail")
    for _ in range(2):
        assert (await phone.confirm(scanned)).verdict == (422, "face_failed")
    await phone.shows_face(scanned)
    assert (await phone.confirm(scanned)).status == 200


@pytest.mark.attack("B2", "B3")
async def test_a_pass_counts_for_the_one_ticket_it_was_shown_for(caller: Caller, crowd: Crowd) -> None:
    """Two pages of one session: what the face was shown for confirms that one, once."""
    phone = await crowd.phone(caller)
    browser = await logged_in(caller, phone)
    screen = await at_the_code(browser, phone)
    other = browser.copy()
    beside = await at_the_code(other, phone)
    browser.cookies = other.cookies
    first, second = await phone.takes(screen), await phone.takes(beside)
    await phone.shows_face(first)
    assert (await phone.confirm(second)).verdict == (409, "face_pending")
    assert (await phone.confirm(first)).status == 200
    again = await phone.confirm(first)
    assert (again.verdict, again.json()["answer"]["status"]) == ((409, "ticket_closed"), "approved")
    started = await phone.starts_face(second)
    assert started.status == 200
    assert (await phone.confirm(second)).verdict == (409, "face_pending"), "what was shown before is used up"


@pytest.mark.attack("B2", "B5")
async def test_nobody_elses_face_and_nobody_elses_phone_serves(caller: Caller, crowd: Crowd) -> None:
    """Another account takes neither the code nor the confirm token, and its own pass stays its own."""
    phone, other = await crowd.phones(caller, 2)
    browser, elsewhere = await logged_in(caller, phone), await logged_in(caller, other)
    screen, theirs = await at_the_code(browser, phone), await at_the_code(elsewhere, other)
    refused = await other.scan(screen)
    assert (refused.verdict, refused.json()["reason"]) == ((403, "account_refused"), "other_account")
    scanned, taken = await phone.takes(screen), await other.takes(theirs)
    await other.shows_face(taken)
    assert (await phone.confirm(scanned)).verdict == (409, "face_pending")
    for call in ("face", "confirm"):
        body = {"ticket": scanned["ticket"], "confirm_token": scanned["confirm_token"]}
        assert (await other.call(call, body)).verdict == (403, "confirm_refused")
        body = {"ticket": scanned["ticket"], "confirm_token": taken["confirm_token"]}
        assert (await phone.call(call, body)).verdict == (403, "confirm_refused")


@pytest.mark.attack("B5")
async def test_without_a_session_that_was_just_verified_there_is_no_code(caller: Caller, crowd: Crowd) -> None:
    """Neither for a stranger, nor for a session that was verified for something else, nor a second time."""
    stranger = Browser(caller)
    answer = await stranger.get(PAGE)
    assert (answer.status, answer.header("Location")) == (303, "/login")
    phone = await crowd.phone(caller)
    browser = await logged_in(caller, phone)
    assert "data-flow" not in (await browser.get(PAGE)).text
    grant, code = await verified(browser, phone, "/centre/verify/mail")
    await browser.redeem(grant, code)
    assert "data-flow" not in (await browser.get(PAGE)).text
    await at_the_code(browser, phone)
    assert not await is_proved(browser, VERIFY)
    assert "data-flow" not in (await browser.get(PAGE)).text


@pytest.mark.attack("B6", "Q18", "B5")
async def test_an_approval_is_worth_a_level_to_the_session_that_asked_and_nothing_to_anybody(
    caller: Caller, crowd: Crowd
) -> None:
    """No login comes of a face, no proof, and nothing for another session of the same account."""
    phone = await crowd.phone(caller)
    browser, another = await logged_in(caller, phone), await logged_in(caller, phone)
    grant, code = await granted(browser, phone, await at_the_code(browser, phone))
    for session in (None, another.session):
        at = browser.copy()
        at.cookies.pop(caller.to.cookie(SESSION))
        if session is not None:
            at.cookies[caller.to.cookie(SESSION)] = session
        assert (await at.redeem(grant, code)).verdict == (404, "ticket_unknown")
        assert at.session == session
    old, devices = browser.copy(), {device["id"] for device in await phone.devices()}
    assert (await browser.redeem(grant, code)).status == 200
    assert {device["id"] for device in await phone.devices()} == devices, "no session came of it"
    assert await old.who() is None, "the session is under a new cookie"
    assert (await browser.redeem(grant, code)).verdict == (404, "ticket_unknown")
    assert not await is_proved(browser, VERIFY)
    assert (await phone.account()).json()["level"] == "L3"


@pytest.mark.attack("Q18")
async def test_the_step_is_unknown_to_tickets_of_other_purposes(caller: Caller, crowd: Crowd) -> None:
    """A login and a verification ask for no face, and what was made for one purpose is unknown to every other."""
    phone = await crowd.phone(caller)
    login = await phone.takes(await Browser(caller).screen())
    browser = await logged_in(caller, phone)
    verify = await phone.takes(await shown(browser, VERIFY))
    for scanned in (login, verify):
        assert (await phone.starts_face(scanned)).verdict == (404, "ticket_unknown")
    screen = await at_the_code(await logged_in(caller, phone), phone)
    for purpose in ("login", "verify", "device"):
        posing = Screen(screen.message | {"purpose": purpose})
        assert (await phone.scan(posing.frame())).verdict == (404, "ticket_unknown")
    ready = await approved(caller, phone)
    face = await phone.takes(screen)
    assert (await phone.confirm(face)).verdict == (409, "face_pending")
    assert (await ready.browser.redeem(ready.grant, ready.code)).status == 200


@pytest.mark.attack("B7", "Q24")
async def test_neither_log_nor_database_keeps_whose_face_it_was(home: Own, crowd: Crowd) -> None:
    """A reference and a level are left of it."""
    async with Caller(home.at) as caller:
        phone = await crowd.phone(caller)
        browser = await logged_in(caller, phone)
        screen = await at_the_code(browser, phone)
        scanned = await phone.takes(screen)
        started = await phone.starts_face(scanned)
        verification = started.json()["face"]["verification"]
        await before_the_camera(caller, verification)
        code = (await phone.confirm(scanned)).json()["code"]
        grant = str((await browser.message("approved"))["grant"])
        assert (await browser.redeem(grant, code)).status == 200
    hidden = {
        "ticket": screen.ticket,
        "confirm token": scanned["confirm_token"],
        "grant": grant,
        "verification": verification,
        "name": phone.person.name,
        "number": phone.person.document_number,
    }
    log = home.demo.process.log.read_bytes()
    kept = b"".join(path.read_bytes() for path in sorted(home.demo.data.glob("bjidp.sqlite*")))
    assert b"identity.proved" in kept
    for place, octets in (("log", log), ("database", kept)):
        for name, value in hidden.items():
            for form in (value.encode(), json.dumps(value)[1:-1].encode(), value.encode("utf-16-le")):
                assert form not in octets, f"{name} in the {place}"
