"""验证身份 by QR over HTTP: the page, its socket, what redeeming it gives, and what ends it (ACC-8)."""

from __future__ import annotations

import re

import msgspec
import pytest

from bjidp.verification.proofs import Operation
from tests.support.browser import SECRET, SESSION, Browser, Screen
from tests.support.phone import Phone
from tests.support.program import LiveSocket, Program, always_a_code
from tests.web.conftest import StartProgram

PAGE = "/centre/verify/password"
SETTINGS = [operation for operation in Operation if operation is not Operation.RECOVER]


async def opened(program: Program, browser: Browser, page: str = PAGE) -> tuple[LiveSocket, Screen]:
    """Open a page that verifies, with its socket; return that and the code on the screen."""
    await browser.open(page)
    socket = await program.socket(browser)
    return socket, await socket.screen()


async def approved(program: Program, phone: Phone, browser: Browser, page: str = PAGE) -> tuple[LiveSocket, str]:
    """Open such a page and let the phone confirm; return the socket and the grant."""
    socket, screen = await opened(program, browser, page)
    scanned = await program.scanned(phone, screen)
    await socket.next("scanned")
    answer = await phone.confirm(scanned)
    assert answer.status == 200, answer
    program.code = answer.json()["code"]
    return socket, str((await socket.next("approved"))["grant"])


async def leads_on(browser: Browser, page: str = PAGE) -> bool:
    """Tell whether the operation is proved for this browser's session."""
    answer = await browser.get(page)
    return answer.status == 303 and answer.header("Location") == f"/centre/{page.rpartition('/')[2]}"


def changed(browser: Browser, cookies: list[str]) -> set[str]:
    """Return which cookies an answer sets, by their short names."""
    short = {browser.to.cookie(name): name for name in (SECRET, SESSION)}
    return {short[line.partition("=")[0]] for line in cookies}


@pytest.mark.req("ACC-8")
@pytest.mark.parametrize("operation", SETTINGS)
async def test_a_confirmation_on_the_phone_leads_on_to_the_operation(program: Program, operation: Operation) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    page = f"/centre/verify/{operation}"
    socket, screen = await opened(program, browser, page)
    assert screen.message["purpose"] == "verify"
    scanned = await program.scanned(phone, screen)
    assert (scanned["purpose"], scanned["request"]["action"]) == ("verify", f"verify.{operation}")
    assert scanned["request"]["session_lifetime"] == 0
    assert (await socket.next("scanned"))["who"] == "陈**"
    await phone.confirm(scanned)
    grant = (await socket.next("approved"))["grant"]
    answer = await browser.redeem(grant)
    assert (answer.status, answer.json()) == (200, {"next": f"/centre/{operation}"})
    assert await socket.ends() == 1000
    assert await leads_on(browser, page)
    others = [other for other in SETTINGS if other is not operation]
    assert not any([await leads_on(browser, f"/centre/verify/{other}") for other in others])


@pytest.mark.req("ACC-8")
@pytest.mark.attack("T1", "R4")
async def test_a_redeem_renews_the_cookie_of_the_session_and_makes_none(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    ((session, key),) = program.sql("SELECT id, key FROM browser_session")
    _, grant = await approved(program, phone, browser)
    before = browser.copy()
    answer = await browser.redeem(grant)
    assert changed(browser, answer.cookies) == {SESSION}, "the browser secret lives on: other pages may need it"
    assert browser.session not in {None, before.session}
    assert await before.who() is None
    assert await browser.who() == "陈**"
    ((after, rekeyed),) = program.sql("SELECT id, key FROM browser_session")
    assert (after == session, rekeyed == key) == (True, False)
    assert await leads_on(browser)


@pytest.mark.req("ACC-8")
async def test_the_proof_is_good_for_five_minutes(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    _, grant = await approved(program, phone, browser)
    await browser.redeem(grant)
    await program.advance(299)
    assert await leads_on(browser)
    await program.advance(1)
    assert not await leads_on(browser)


@pytest.mark.attack("B5")
async def test_nobody_who_is_not_logged_in_is_shown_a_code(program: Program) -> None:
    stranger = await program.browser()
    answer = await stranger.get(PAGE)
    assert (answer.status, answer.header("Location")) == (303, "/login")
    browser = await program.signed_in()
    await browser.open(PAGE)
    stranger.cookies = dict(browser.cookies)
    del stranger.cookies[browser.to.cookie(SESSION)]
    stranger.flow = browser.flow
    assert (await stranger.tickets()).verdict == (403, "flow_unknown")
    assert await stranger.knock() == 403
    assert (await stranger.events()).verdict == (403, "flow_unknown")
    assert (await browser.tickets()).status == 200


@pytest.mark.parametrize("page", ["/centre/verify/recover", "/centre/verify/nothing", "/centre/verify/"])
async def test_there_is_no_page_for_what_a_session_is_not_verified_for(program: Program, page: str) -> None:
    browser = await program.signed_in()
    assert (await browser.get(page)).status == 404


@pytest.mark.parametrize(
    ("section", "operations"),
    [("bank", [Operation.BANK_CARD]), ("business_register", [Operation.ORGANISATION, Operation.APPOINT])],
)
async def test_where_a_register_is_not_set_nothing_is_verified_for_what_needs_it(
    start_program: StartProgram, section: str, operations: list[Operation]
) -> None:
    program = await start_program(settings=lambda settings: msgspec.structs.replace(settings, **{section: None}))
    browser = await program.signed_in()
    shown = (await browser.get("/centre")).text
    for operation in SETTINGS:
        served = operation not in operations
        assert (await browser.get(f"/centre/verify/{operation}")).status == (200 if served else 404)
        # Where there is nothing to take back or to bind, the page is there and leads to where that is said.
        assert (await browser.get(f"/centre/{operation}")).status in ({200, 303} if served else {404})
        assert served or f'"/centre/{operation}"' not in shown


@pytest.mark.attack("B5", "Q22")
async def test_another_accounts_phone_is_refused_and_changes_nothing(program: Program) -> None:
    browser = await program.signed_in(await program.phone())
    stranger = await program.phone("li-siyuan")
    socket, screen = await opened(program, browser)
    refused = await stranger.scan(program.frame(screen))
    assert (refused.verdict, refused.json()["reason"]) == ((403, "account_refused"), "other_account")
    await program.settle()
    assert socket.unread() == []
    assert (await browser.tickets()).json()["type"] == "ticket"


@pytest.mark.attack("Q18")
async def test_a_login_and_a_verification_open_beside_each_other_are_never_exchanged(program: Program) -> None:
    """One browser, one phone, both approved: the login's grant proves nothing, and the other opens no session."""
    phone = await program.phone()
    login, _, message = await program.approved(phone)
    browser = await program.signed_in(phone)
    _, grant = await approved(program, phone, browser)
    both = browser.copy()
    both.cookies[both.to.cookie(SECRET)] = login.secret or ""
    assert (await both.redeem(grant)).verdict == (404, "ticket_unknown"), "another browser's"
    assert (await login.redeem(grant)).verdict == (404, "ticket_unknown")
    assert (await browser.redeem(message["grant"])).verdict == (404, "ticket_unknown")
    without = browser.copy()
    del without.cookies[browser.to.cookie(SESSION)]
    assert (await without.redeem(grant)).verdict == (404, "ticket_unknown"), "no session comes of it"
    assert without.session is None
    assert not await leads_on(browser)
    browser = browser.copy()
    assert (await browser.redeem((await browser.message("approved"))["grant"])).status == 200


@pytest.mark.attack("Q28")
async def test_a_login_of_the_same_browser_ends_a_verification_that_was_open(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    socket, _ = await opened(program, browser)
    former = browser.session
    guest = browser.copy()
    del guest.cookies[browser.to.cookie(SESSION)]
    screen = await guest.screen()
    assert await socket.ends() == 1012, "a navigation gives the browser a new secret"
    await program.scanned(phone, screen)
    browser.cookies = dict(guest.cookies) | {browser.to.cookie(SESSION): former or ""}
    assert (await browser.tickets()).status == 200


@pytest.mark.req("SES-1")
@pytest.mark.attack("W6", "T3", "P7")
@pytest.mark.parametrize("ends", ["log-out", "not me", "from the phone", "undo"])
async def test_however_the_session_ends_its_pages_are_told_and_are_not_let_in_again(
    program: Program, ends: str
) -> None:
    phone = await program.phone()
    browser, _, message = await program.approved(phone)
    ticket = message["ticket"]
    await browser.redeem(message["grant"])
    socket, _ = await opened(program, browser)
    again = browser.copy()
    match ends:
        case "log-out" | "not me":
            centre = (await browser.get("/centre")).text
            (csrf,) = set(re.findall(r'name="csrf" value="([^"]*)"', centre))
            path = "/logout" if ends == "log-out" else "/not-me"
            assert (await browser.submit(path, {"csrf": csrf})).status == 200
        case "from the phone":
            (device,) = [device for device in await phone.devices() if device["kind"] == "browser"]
            assert (await phone.end(device["id"])).status == 204
        case _:
            assert (await phone.undo(ticket)).status == 200
    assert await socket.ends(within=2) == 4005
    assert await again.knock() == 403
    assert (await again.tickets()).status == 403
    assert await again.who() is None


@pytest.mark.attack("W6")
async def test_a_session_that_ends_while_its_page_connects_leaves_no_page_connected(program: Program) -> None:
    """The flow is made when the page connects: whoever ended the session just before has not seen it."""
    phone = await program.phone()
    browser = await program.signed_in(phone)
    (device,) = [device for device in await phone.devices() if device["kind"] == "browser"]
    await browser.open(PAGE)

    async def meanwhile() -> None:
        assert (await phone.end(device["id"])).status == 204

    program.meddler.before_next("tickets.add", meanwhile)
    socket = await program.socket(browser)
    assert await socket.ends(within=2) == 4005
    assert socket.unread() == []

    browser = await program.signed_in(phone)
    (device,) = [device for device in await phone.devices() if device["kind"] == "browser"]
    await browser.open(PAGE)
    program.meddler.before_next("tickets.add", meanwhile)
    assert (await browser.events(wait=25)).verdict == (403, "flow_unknown")


@pytest.mark.attack("W6", "T3")
async def test_an_approval_dies_with_the_session_that_asked(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    _, grant = await approved(program, phone, browser)
    (device,) = [device for device in await phone.devices() if device["kind"] == "browser"]
    await phone.end(device["id"])
    assert (await browser.redeem(grant)).verdict == (404, "ticket_unknown")
    other = await program.signed_in(phone)
    other.cookies[other.to.cookie(SECRET)] = browser.secret or ""
    assert (await other.redeem(grant)).verdict == (404, "ticket_unknown")
    assert not await leads_on(other)


@pytest.mark.attack("R4", "P7")
async def test_a_confirmation_that_is_taken_back_leaves_no_proof(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    socket, screen = await opened(program, browser)
    await phone.confirm(await program.scanned(phone, screen))
    await socket.next("scanned", "approved")
    grant = (await browser.message("approved"))["grant"]
    await browser.redeem(grant)
    assert await leads_on(browser)
    assert (await phone.undo(screen.ticket)).json() == {"status": "ended"}
    assert await browser.who() is None
    assert program.sql("SELECT count(*) FROM browser_session") == [(0,)]


@pytest.mark.req("ACC-8")
@pytest.mark.attack("P7", "R4")
async def test_a_confirmation_is_taken_back_for_as_long_as_the_session_that_asked_lives(program: Program) -> None:
    """Also by a server that has forgotten every ticket, after what it proved was used long ago."""
    phone = await program.phone()
    browser, other = await program.signed_in(phone), await program.signed_in(phone)
    socket, screen = await opened(program, browser)
    await phone.confirm(await program.scanned(phone, screen))
    await socket.next("scanned", "approved")
    await browser.redeem((await browser.message("approved"))["grant"])
    await program.comes_back(memory=False)
    await program.advance(3600)
    assert await browser.who() is not None
    await phone.refresh()
    assert (await phone.undo(screen.ticket)).json() == {"status": "ended"}
    assert [await browser.who(), await other.who()] == [None, None], "whose they are by now nobody can tell"
    assert (await phone.account()).verdict == (401, "token_invalid")
    assert (await (await program.phone()).undo(screen.ticket)).verdict == (404, "ticket_unknown")


# ------------------------------------------------------------------------------------------------ without JavaScript


@pytest.mark.req("ACC-8", "UX-4")
async def test_without_a_script_a_button_leads_on(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    page = await browser.open(PAGE)
    assert f'src="/qr/state?flow={browser.flow}&amp;for=verify"' in page.text
    assert (await browser.get(f"/qr/state?flow={browser.flow}&for=verify")).text.count("请用京通") == 1
    screen = Screen((await browser.tickets()).json())
    await phone.confirm(await program.scanned(phone, screen))
    state = await browser.get(f"/qr/state?flow={browser.flow}&for=verify")
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', state.text))
    assert set(fields) == {"grant", "csrf", "flow"}
    answer = await browser.submit("/qr/redeem", fields)
    assert (answer.status, answer.header("Location")) == (303, "/centre/password")
    assert changed(browser, answer.cookies) == {SESSION}
    assert await leads_on(browser)
    again = await browser.submit("/qr/redeem", fields)
    assert (again.status, again.header("Location")) == (303, PAGE), "nothing came of it: back to the page"


@pytest.mark.req("UX-4")
@pytest.mark.attack("P9")
async def test_without_a_script_a_wrong_code_leads_back_to_the_page(start_program: StartProgram) -> None:
    program = await start_program(settings=always_a_code)
    phone = await program.phone()
    browser, _, message = await program.approved(phone)
    await browser.redeem(message["grant"], program.code)
    _, grant = await approved(program, phone, browser)
    assert program.code is not None
    state = await browser.get(f"/qr/state?flow={browser.flow}&for=verify")
    (csrf,) = re.findall(r'name="csrf" value="([^"]*)"', state.text)
    wrong = f"{(int(program.code) + 1) % 100:02d}"
    fields = {"grant": grant, "csrf": csrf, "flow": browser.flow}
    answer = await browser.submit("/qr/redeem", fields | {"code": wrong})
    assert (answer.status, answer.header("Location")) == (303, PAGE)
    renewed = await browser.submit("/qr/renew", {"csrf": csrf, "flow": browser.flow})
    assert (renewed.status, renewed.header("Location")) == (303, PAGE)
    answer = await browser.submit("/qr/redeem", fields | {"code": program.code})
    assert (answer.status, answer.header("Location")) == (303, "/centre/password")


@pytest.mark.req("UX-4")
async def test_a_state_of_no_flow_says_what_the_page_was_for(program: Program) -> None:
    stranger = await program.browser()
    login, verify = [(await stranger.get(f"/qr/state?flow=x{more}")).text for more in ("", "&for=verify")]
    assert "/login" in login
    assert "/login" not in verify
    assert "重新打开这个页面" in verify


# ------------------------------------------------------------------------------------------------------- outages


@pytest.mark.attack("O5", "T1")
@pytest.mark.parametrize("call", ["proofs.add", "sessions.rekey"])
async def test_a_store_that_is_down_leaves_no_proof_that_was_not_told_of(program: Program, call: str) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    _, grant = await approved(program, phone, browser)
    program.meddler.breaks(call)
    assert (await browser.redeem(grant)).verdict == (503, "service_unavailable")
    program.meddler.mends()
    assert not await leads_on(browser)
    assert await browser.who() == "陈**"
