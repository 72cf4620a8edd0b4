"""The pages around a login against the real application: the login page, the centre, log-out, and a QR opened alone."""

from __future__ import annotations

import json
from urllib.parse import unquote

import msgspec
import pytest
from yarl import URL

from bjidp.audit.event import EventKind
from bjidp.config.settings import Settings
from tests.support.browser import SECRET, SESSION
from tests.support.program import Program
from tests.web.conftest import StartProgram

PORTAL = "http://portal.example/"
PHONE = "http://phone.example"


def dressed(settings: Settings) -> Settings:
    """Name a portal and a phone simulator, as the demonstration does."""
    server = msgspec.structs.replace(settings.server, portal_url=PORTAL, simulator_url=PHONE)
    return msgspec.structs.replace(settings, server=server)


@pytest.mark.parametrize("path", ["/login", "/login?tab=account", "/login?tab=%22%3E%3Csvg%20onload%3D1%3E"])
@pytest.mark.attack("Q25")
async def test_the_login_page_gives_every_visitor_a_secret_and_a_flow(program: Program, path: str) -> None:
    browser = await program.browser()
    answer = await browser.open(path)
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("Cache-Control") == "no-store"
    assert len(browser.secret or "") == 43
    assert len(browser.flow) == 22
    assert "<svg onload" not in answer.text
    assert str(browser.secret) not in answer.text


@pytest.mark.attack("Q8", "Q29")
async def test_each_navigation_replaces_the_secret_and_keeps_the_flow(program: Program) -> None:
    browser = await program.browser()
    seen = set()
    for _ in range(3):
        await browser.open()
        seen.add((browser.secret, browser.csrf))
    assert len({secret for secret, _ in seen}) == 3
    # A form in another tab still counts.
    assert len({csrf for _, csrf in seen}) == 1

    planted = await program.browser()
    chosen = "A" * 43
    planted.cookies[program.deployments[0].cookie(SECRET)] = chosen
    await planted.open()
    assert planted.secret != chosen


async def test_a_head_of_the_login_page_has_no_body(program: Program) -> None:
    caller = await program.caller()
    answer = await caller.send("HEAD", "/login")
    assert (answer.status, answer.body) == (200, b"")


async def test_the_root_leads_to_the_login_page(program: Program) -> None:
    caller = await program.caller()
    answer = await caller.send("GET", "/")
    assert (answer.status, answer.header("Location")) == (302, "/login")


@pytest.mark.req("LOG-2")
async def test_who_is_logged_in_sees_who_and_gets_no_ticket(program: Program) -> None:
    browser = await program.signed_in()
    answer = await browser.get("/login")
    assert "您已登录：" in answer.text
    assert "对准本页的二维码" not in answer.text
    assert "陈**" in answer.text
    assert "data-flow" not in answer.text
    assert not answer.cookies
    assert (await browser.tickets()).status == 403


@pytest.mark.req("LOG-2", "RNV-1")
async def test_the_centre_shows_the_account_to_its_owner_alone(program: Program) -> None:
    browser = await program.signed_in()
    for path in ("/centre", "/h5/centre"):
        answer = await browser.get(path)
        assert answer.status == 200
        assert "陈**" in answer.text
        assert "陈雨桐" not in answer.text
    stranger = await program.browser()
    answer = await stranger.get("/centre")
    assert (answer.status, answer.header("Location")) == (303, "/login")


async def test_a_session_that_is_over_leads_to_the_login_page(program: Program) -> None:
    browser = await program.signed_in()
    program.clock.advance(12 * 3600)
    answer = await browser.get("/centre")
    assert (answer.status, answer.header("Location")) == (303, "/login")
    # A request that was under way while the session was renewed must not take the new cookie.
    assert [cookie for cookie in answer.cookies if SESSION in cookie] == []


@pytest.mark.attack("Q21", "T3")
async def test_a_locked_account_is_out_at_the_next_request(program: Program) -> None:
    browser = await program.signed_in()
    program.sql("UPDATE account SET status = 'locked'")
    assert await browser.who() is None


@pytest.mark.attack("T3")
async def test_log_out_ends_the_session_on_the_server(program: Program) -> None:
    browser = await program.signed_in()
    thief = browser.copy()
    centre = await browser.get("/centre")
    csrf = centre.text.partition('name="csrf" value="')[2].partition('"')[0]
    answer = await browser.submit("/logout", {"csrf": csrf})
    assert answer.status == 200
    assert "已退出" in answer.text
    assert browser.session is None
    assert await thief.who() is None
    assert program.sql("SELECT count(*) FROM browser_session") == [(0,)]


@pytest.mark.req("SES-2")
async def test_not_me_ends_the_session_and_is_written_down_as_such(program: Program) -> None:
    browser = await program.signed_in()
    centre = await browser.get("/centre")
    csrf = centre.text.partition('name="csrf" value="')[2].partition('"')[0]
    assert (await browser.submit("/not-me", {"csrf": csrf})).status == 200
    assert await browser.who() is None
    ((facts,),) = program.sql("SELECT facts FROM audit_event WHERE kind = ?", EventKind.SESSION_ENDED.value)
    assert json.loads(facts) == {"reason": "not_me"}


@pytest.mark.attack("Q28")
@pytest.mark.parametrize("path", ["/logout", "/not-me"])
async def test_nobody_else_logs_a_browser_out(program: Program, path: str) -> None:
    browser = await program.signed_in()
    stranger = await program.browser()
    await stranger.open()
    for fields, headers in (
        ({}, {}),
        ({"csrf": stranger.csrf}, {}),
        ({"csrf": ""}, {}),
        ({"csrf": stranger.csrf}, {"Origin": "https://evil.example"}),
    ):
        assert (await browser.submit(path, fields, **headers)).status == 403
    assert (await browser.get(path)).status == 405
    assert await browser.who() == "陈**"


async def test_log_out_without_a_session_clears_what_is_left(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    answer = await browser.submit("/logout", {"csrf": browser.csrf})
    assert answer.status == 200
    assert browser.secret is None
    assert len([line for line in answer.cookies if "Max-Age=0" in line]) == 2


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize("down", ["sessions", "browsers"])
async def test_a_store_that_is_down_is_told_to_people_in_words(program: Program, down: str) -> None:
    browser = await program.signed_in() if down == "sessions" else await program.browser()
    program.meddler.breaks(down)
    answer = await browser.get("/login")
    assert answer.status == 503
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("Retry-After") == "5"
    assert not answer.cookies
    program.meddler.mends()
    assert (await browser.get("/login")).status == 200


@pytest.mark.attack("Q22", "Q25")
@pytest.mark.parametrize("path", ["", "x", "%22%3E%3Cscript%3E", "a/b/c", "A" * 22 + ".000." + "B" * 12])
async def test_a_code_opened_in_a_browser_gets_one_answer_for_every_text(program: Program, path: str) -> None:
    _, _, screen = await program.opened()
    caller = await program.caller()
    before = sum(program.meddler.calls.values())
    real = await caller.send("GET", program.frame(screen).removeprefix(program.url))
    answer = await caller.send("GET", f"/q/{path}")
    assert answer.face == real.face
    assert answer.status == 200
    assert sum(program.meddler.calls.values()) == before


async def test_in_a_demonstration_a_code_opened_in_a_browser_opens_the_phone_there(start_program: StartProgram) -> None:
    program = await start_program(settings=dressed)
    caller = await program.caller()
    for text in ("AAAAAAAAAAAAAAAAAAAAAA.000.BBBBBBBBBBBB", "%26other=1%23", "%0dSet-Cookie:x", ""):
        answer = await caller.send("GET", f"/q/{text}")
        assert answer.status == 302
        where = URL(str(answer.header("Location")))
        assert str(where.origin()) == PHONE
        assert where.path == "/phone"
        assert list(where.query) == ["text"]
        assert unquote(where.query["text"]) == unquote(f"{program.url}/q/{text}")
        assert answer.header("Set-Cookie") is None


@pytest.mark.req("OPS-1")
async def test_a_demonstration_frames_every_page_a_visitor_gets_to(start_program: StartProgram) -> None:
    program = await start_program(settings=dressed)
    stranger = await program.browser()
    login = await stranger.open()
    assert PORTAL in login.text
    owner = await program.signed_in()
    centre = await owner.get("/centre")
    csrf = centre.text.partition('name="csrf" value="')[2].partition('"')[0]
    shown = {
        "waiting for a scan": login,
        "logged in": await owner.get("/login"),
        "the centre": centre,
        "nothing there": await stranger.get("/nothing-here"),
        "a form without its token": await owner.submit("/not-me", {}, Accept="text/html"),
        "not me": await owner.submit("/not-me", {"csrf": csrf}),
        "a step back to a form's address": await owner.get("/not-me"),
    }
    for name, answer in shown.items():
        policy = str(answer.header("Content-Security-Policy"))
        assert policy.endswith(f"frame-ancestors {PHONE}"), name
        assert f"frame-src 'self' {PHONE};" in policy
    state = await stranger.get(f"/qr/state?flow={stranger.flow}")
    assert str(state.header("Content-Security-Policy")).endswith(f"frame-ancestors 'self' {PHONE}")


@pytest.mark.attack("Q28")
async def test_outside_of_a_demonstration_nobody_frames_a_page(program: Program) -> None:
    browser = await program.signed_in()
    for path in ("/login", "/centre", "/nothing-here", "/q/x"):
        policy = str((await browser.get(path)).header("Content-Security-Policy"))
        assert policy.endswith("frame-ancestors 'none'")
        assert "frame-src 'self';" in policy


@pytest.mark.attack("Q23")
async def test_an_address_opens_so_many_new_browsers_a_minute(program: Program) -> None:
    caller = await program.caller(source="127.0.0.2")
    statuses = [(await caller.send("GET", "/login")).status for _ in range(1201)]
    assert statuses == [200] * 1200 + [429]
    elsewhere = await program.browser(source="127.0.0.3")
    assert (await elsewhere.get("/login")).status == 200


async def test_the_session_cookie_of_another_length_is_no_session(program: Program) -> None:
    browser = await program.browser()
    for cookie in ("", "x", "x" * 44, "x" * 5000):
        browser.cookies = {program.deployments[0].cookie(SESSION): cookie}
        assert (await browser.get("/centre")).status == 303
