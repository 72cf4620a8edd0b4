"""``POST /qr/redeem``: each row of wire.md's table, as JSON and as a form."""

from __future__ import annotations

import asyncio
import re

import msgspec
import pytest

from bjidp.config.settings import Settings
from tests.support.browser import SECRET, SESSION, Browser, Message
from tests.support.program import Program, always_a_code
from tests.web.conftest import StartProgram


def set_cookies(program: Program, lines: list[str]) -> dict[str, str]:
    """Return Set-Cookie lines by the short name of the cookie."""
    full = {program.deployments[0].cookie(name): name for name in (SECRET, SESSION)}
    return {full[line.partition("=")[0]]: line.partition("=")[2] for line in lines}


def rows(program: Program) -> int:
    """Count the browser sessions."""
    ((count,),) = program.sql("SELECT count(*) FROM browser_session")
    assert isinstance(count, int)
    return count


async def still_good(program: Program, browser: Browser, message: Message, code: str | None = None) -> None:
    """Show that nothing was consumed: the same grant redeems."""
    program.meddler.mends()
    assert (await browser.redeem(message["grant"], code)).status == 200
    assert rows(program) == 1


@pytest.mark.req("LOG-2")
@pytest.mark.attack("T1", "T2")
async def test_a_grant_is_exchanged_for_a_session_cookie(program: Program) -> None:
    browser, _, message = await program.approved()
    secret = browser.secret
    answer = await browser.redeem(message["grant"])
    assert (answer.status, answer.json()) == (200, {"next": "/centre"})
    assert answer.header("Cache-Control") == "no-store"

    cookies = set_cookies(program, answer.cookies)
    value, *flags = cookies[SESSION].split("; ")
    assert len(value) == 43
    assert sorted(flags) == ["HttpOnly", "Path=/", "SameSite=Lax"]
    assert "Max-Age=0" in cookies[SECRET]
    assert browser.session not in {None, secret}
    assert await browser.who() == "陈**"


@pytest.mark.attack("T2", "W10")
async def test_over_https_cookies_are_host_bound_and_secure(start_program: StartProgram) -> None:
    program = await start_program(base_url="https://id.example.test")
    browser, _, message = await program.approved()
    opened = await browser.copy().get("/login")
    redeemed = await browser.redeem(message["grant"])
    for line in (*opened.cookies, *redeemed.cookies):
        assert line.startswith(("__Host-bjidp_browser=", "__Host-bjidp_session="))
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(line.split("; "))
        assert "Domain" not in line
    assert redeemed.header("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"


@pytest.mark.attack("Q3", "Q22")
async def test_unknown_foreign_used_and_expired_grants_look_the_same(program: Program) -> None:
    browser, _, message = await program.approved()
    stranger = await program.browser()
    await stranger.open()
    nobody = await program.browser()
    refusals = [
        await stranger.redeem(message["grant"]),
        await stranger.redeem("A" * 43),
        await nobody.redeem(message["grant"]),
        await browser.redeem(""),
        await browser.redeem(message["grant"][:-1]),
    ]
    used = browser.copy()
    assert (await browser.redeem(message["grant"])).status == 200
    refusals.append(await used.redeem(message["grant"]))

    late, _, message = await program.approved()
    await program.advance(30)
    refusals.append(await late.redeem(message["grant"]))

    assert {answer.verdict for answer in refusals} == {(404, "ticket_unknown")}
    assert len({answer.body for answer in refusals}) == 1
    assert not any(answer.cookies for answer in refusals)


@pytest.mark.attack("Q11", "Q13")
async def test_before_the_confirm_there_is_nothing_to_redeem(program: Program) -> None:
    browser, page, screen = await program.opened()
    assert (await browser.redeem(screen.ticket)).verdict == (404, "ticket_unknown")
    await program.scanned(await program.phone(), screen)
    await page.next("scanned")
    assert (await browser.redeem(screen.ticket)).verdict == (404, "ticket_unknown")
    assert rows(program) == 0


@pytest.mark.attack("Q4")
async def test_of_many_redeems_at_once_one_succeeds(program: Program) -> None:
    browser, _, message = await program.approved()
    answers = await asyncio.gather(*(browser.copy().redeem(message["grant"]) for _ in range(16)))
    assert sorted(answer.status for answer in answers) == [200] + [404] * 15
    assert rows(program) == 1


@pytest.mark.attack("Q28", "W1")
@pytest.mark.parametrize("origin", [None, "null", "https://evil.example"])
async def test_another_origin_consumes_nothing(program: Program, origin: str | None) -> None:
    browser, _, message = await program.approved()
    answer = await browser.caller.post("/qr/redeem", {"grant": message["grant"]}, headers=browser.headers(origin))
    assert answer.verdict == (403, "origin_refused")
    await still_good(program, browser, message)


@pytest.mark.attack("Q28")
async def test_a_get_never_redeems(program: Program) -> None:
    browser, _, message = await program.approved()
    answer = await browser.get(f"/qr/redeem?grant={message['grant']}", Origin=program.url)
    assert answer.status == 405
    assert answer.header("Allow") == "POST"
    await still_good(program, browser, message)


# --------------------------------------------------------------------------------------------------- the reverse code


@pytest.mark.attack("P9", "O4")
async def test_the_code_is_counted_and_the_right_one_logs_in(start_program: StartProgram) -> None:
    program = await start_program(settings=always_a_code)
    browser, _, message = await program.approved()
    assert program.code is not None
    wrong = f"{(int(program.code) + 1) % 100:02d}"

    asked = await browser.redeem(message["grant"])
    assert (asked.verdict, asked.json()["tries_left"]) == ((422, "code_wrong"), 3)
    refused = await browser.redeem(message["grant"], wrong)
    assert (refused.verdict, refused.json()["tries_left"]) == ((422, "code_wrong"), 2)
    assert (await browser.redeem(message["grant"], program.code)).status == 200


@pytest.mark.attack("P9", "O4")
async def test_the_third_wrong_code_kills_the_ticket(start_program: StartProgram) -> None:
    program = await start_program(settings=always_a_code)
    browser, _, message = await program.approved()
    assert program.code is not None
    wrong = f"{(int(program.code) + 1) % 100:02d}"
    answers = await asyncio.gather(*(browser.copy().redeem(message["grant"], wrong) for _ in range(6)))
    assert sorted(answer.verdict for answer in answers) == [(404, "ticket_unknown")] * 3 + [(422, "code_wrong")] * 3
    assert (await browser.redeem(message["grant"], program.code)).verdict == (404, "ticket_unknown")


@pytest.mark.attack("Q27")
@pytest.mark.parametrize("code", ["7", "007", "٠٧", "ab", " 07", "07\n", "", "0" * 4000])
async def test_a_code_of_another_shape_costs_no_try(start_program: StartProgram, code: str) -> None:
    program = await start_program(settings=always_a_code)
    browser, _, message = await program.approved()
    assert (await browser.redeem(message["grant"], code)).verdict == (400, "invalid_request")
    asked = await browser.redeem(message["grant"])
    assert asked.json()["tries_left"] == 3


# ------------------------------------------------------------------------------------------------------------ policy


@pytest.mark.attack("Q21")
@pytest.mark.parametrize("status", ["locked", "cancelled"])
async def test_an_account_that_is_refused_at_the_last_moment_kills_the_ticket(program: Program, status: str) -> None:
    browser, page, message = await program.approved()
    program.sql("UPDATE account SET status = ?", status)
    answer = await browser.redeem(message["grant"])
    assert answer.verdict == (403, "account_refused")
    assert answer.json()["reason"] == status
    assert rows(program) == 0

    program.sql("UPDATE account SET status = 'active'")
    assert (await browser.redeem(message["grant"])).verdict == (404, "ticket_unknown")
    assert (await page.next("expired"))["renewed"] is False


@pytest.mark.attack("Q28")
async def test_a_live_session_of_another_account_is_asked_about_first(program: Program) -> None:
    browser, page, message = await program.approved()
    other = await program.signed_in(await program.phone("li-siyuan"))
    browser.cookies |= other.cookies
    assert (await browser.redeem(message["grant"])).verdict == (409, "already_signed_in")
    assert await browser.who() == "李**"
    assert page.is_open
    assert page.unread() == []


@pytest.mark.attack("T1")
async def test_the_same_account_logs_in_anew_and_the_old_session_is_dead(program: Program) -> None:
    phone = await program.phone()
    before = await program.signed_in(phone)
    browser, _, message = await program.approved(phone)
    browser.cookies |= before.cookies
    assert (await browser.redeem(message["grant"])).status == 200
    assert browser.session != before.session
    assert await before.who() is None
    assert await browser.who() == "陈**"
    assert rows(program) == 1


@pytest.mark.attack("T1")
async def test_a_session_cookie_planted_before_the_login_is_never_used(program: Program) -> None:
    browser, _, message = await program.approved()
    planted = "P" * 43
    browser.cookies[program.deployments[0].cookie(SESSION)] = planted
    assert (await browser.redeem(message["grant"])).status == 200
    assert browser.session != planted


async def test_a_session_ends_at_its_hour_whatever_happens(program: Program) -> None:
    browser = await program.signed_in()
    for _ in range(11):
        program.clock.advance(3600)
        assert await browser.who() == "陈**"
    program.clock.advance(3600)
    assert await browser.who() is None


# ---------------------------------------------------------------------------------------------------------- outages


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize(
    "down",
    ["browsers", "browsers.get", "tickets", "tickets.read", "tickets.replace", "sessions.open"],
)
async def test_an_outage_consumes_nothing(program: Program, down: str) -> None:
    browser, _, message = await program.approved()
    program.meddler.breaks(down)
    answer = await browser.redeem(message["grant"])
    assert answer.verdict == (503, "service_unavailable")
    assert not answer.cookies
    assert rows(program) == 0
    await still_good(program, browser, message)


@pytest.mark.req("OPS-4")
async def test_an_outage_gives_the_counted_try_back(start_program: StartProgram) -> None:
    program = await start_program(settings=always_a_code)
    browser, _, message = await program.approved()
    for _ in range(4):
        program.meddler.breaks("sessions.open")
        assert (await browser.redeem(message["grant"], program.code)).status == 503
        program.meddler.mends()
    await still_good(program, browser, message, program.code)


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize("down", ["browsers.take", "signals"])
async def test_a_session_that_was_written_is_handed_out_whatever_fails_after_it(program: Program, down: str) -> None:
    browser, _, message = await program.approved()
    program.meddler.breaks(down)
    assert (await browser.redeem(message["grant"])).status == 200
    program.meddler.mends()
    assert await browser.who() == "陈**"


@pytest.mark.attack("Q6")
async def test_a_browser_record_that_outlived_its_redeem_redeems_nothing_more(program: Program) -> None:
    browser, _, message = await program.approved()
    survivor = browser.copy()
    program.meddler.breaks("browsers.take")
    assert (await browser.redeem(message["grant"])).status == 200
    program.meddler.mends()
    assert (await survivor.redeem(message["grant"])).verdict == (404, "ticket_unknown")
    assert rows(program) == 1


# ---------------------------------------------------------------------------------------------------------- the form


async def code_form(browser: Browser) -> dict[str, str]:
    """Return the hidden fields of the form that the page without JavaScript shows."""
    page = await browser.get(f"/qr/state?flow={browser.flow}")
    assert page.status == 200
    return dict(re.findall(r'name="(grant|csrf)" value="([^"]*)"', page.text))


@pytest.mark.req("UX-4")
async def test_a_form_logs_in_and_leads_on(program: Program) -> None:
    browser, _, message = await program.approved()
    fields = await code_form(browser)
    assert fields["grant"] == message["grant"]
    answer = await browser.submit("/qr/redeem", fields)
    assert (answer.status, answer.header("Location")) == (303, "/centre")
    assert set(set_cookies(program, answer.cookies)) == {SECRET, SESSION}
    assert await browser.who() == "陈**"


@pytest.mark.attack("Q28")
@pytest.mark.parametrize("csrf", [None, "", "A" * 43, "密", "%FF%ED%B3%BF"])
async def test_a_form_without_this_browsers_token_consumes_nothing(program: Program, csrf: str | None) -> None:
    browser, _, message = await program.approved()
    fields = f"grant={message['grant']}".encode()
    if csrf is not None:
        fields += b"&csrf=" + csrf.encode()
    headers = browser.headers(program.url) | {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await browser.caller.send("POST", "/qr/redeem", headers=headers, body=fields)
    assert answer.verdict == (403, "origin_refused")
    await still_good(program, browser, message)


@pytest.mark.attack("Q28")
async def test_a_token_of_another_browser_is_refused(program: Program) -> None:
    browser, _, message = await program.approved()
    stranger = await program.browser()
    await stranger.open()
    answer = await browser.submit("/qr/redeem", {"grant": message["grant"], "csrf": stranger.csrf})
    assert answer.verdict == (403, "origin_refused")
    await still_good(program, browser, message)


@pytest.mark.req("UX-4", "UX-5")
async def test_a_form_with_a_wrong_code_leads_back_to_the_field(start_program: StartProgram) -> None:
    program = await start_program(settings=always_a_code)
    browser, _, _ = await program.approved()
    assert program.code is not None
    fields = await code_form(browser)
    wrong = f"{(int(program.code) + 1) % 100:02d}"
    answer = await browser.submit("/qr/redeem", fields | {"code": wrong})
    assert (answer.status, answer.header("Location")) == (303, "/login")
    assert SESSION not in set_cookies(program, answer.cookies)

    await browser.open()
    fields = await code_form(browser)
    state = await browser.get(f"/qr/state?flow={browser.flow}")
    assert "2" in state.text
    assert 'aria-invalid="true"' in state.text
    assert (await browser.submit("/qr/redeem", fields | {"code": program.code})).status == 303
    assert await browser.who() == "陈**"


async def test_a_form_that_comes_too_late_leads_to_a_new_code(program: Program) -> None:
    browser, _, _ = await program.approved()
    fields = await code_form(browser)
    await program.advance(30)
    answer = await browser.submit("/qr/redeem", fields)
    assert (answer.status, answer.header("Location")) == (303, "/login")
    assert not answer.cookies


@pytest.mark.attack("Q27")
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"grant=x&csrf=%(csrf)s"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=grant\r\n\r\nx\r\n--x--\r\n"),
        ("application/x-www-form-urlencoded", b"grant=x&grant=y&csrf=%(csrf)s"),
        ("application/x-www-form-urlencoded", b"csrf=%(csrf)s&csrf=%(csrf)s&grant=x"),
        ("application/x-www-form-urlencoded", b"grant=x&admin=1&csrf=%(csrf)s"),
        ("application/x-www-form-urlencoded", b"csrf=%(csrf)s"),
        ("application/x-www-form-urlencoded; charset=utf-7", b"grant=+2AA-&csrf=%(csrf)s"),
        ("application/x-www-form-urlencoded; charset=klingon", b"grant=x&csrf=%(csrf)s"),
        ("application/x-www-form-urlencoded; charset=utf-16", b"grant=x&csrf=%(csrf)s"),
        ("application/x-www-form-urlencoded", b"grant=\xff\xfe&csrf=%(csrf)s"),
        ("application/x-www-form-urlencoded", b"grant=" + b"x" * 600 + b"&csrf=%(csrf)s"),
        ("application/x-www-form-urlencoded", b"grant=x&code=%%00%%00&csrf=%(csrf)s"),
        ("application/x-www-form-urlencoded", b"grant=x&code=7&csrf=%(csrf)s"),
    ],
)
async def test_a_form_of_another_shape_is_refused_in_words(program: Program, content_type: str, body: bytes) -> None:
    browser, _, message = await program.approved()
    headers = browser.headers(program.url) | {"Content-Type": content_type}
    answer = await browser.caller.send(
        "POST", "/qr/redeem", headers=headers, body=body % {b"csrf": browser.csrf.encode()}
    )
    assert answer.verdict == (400, "invalid_request")
    await still_good(program, browser, message)


@pytest.mark.attack("P8")
async def test_the_session_lives_as_long_as_the_phone_was_told(start_program: StartProgram) -> None:
    def short(settings: Settings) -> Settings:
        return msgspec.structs.replace(
            settings, sessions=msgspec.structs.replace(settings.sessions, lifetime_seconds=600)
        )

    program = await start_program(settings=short)
    phone = await program.phone()
    browser, page, screen = await program.opened()
    scanned = await program.scanned(phone, screen)
    assert scanned["request"]["session_lifetime"] == 600
    await phone.confirm(scanned)
    await page.next("scanned")
    await browser.redeem((await page.next("approved"))["grant"])
    await program.advance(599)
    assert await browser.who() == "陈**"
    await program.advance(1)
    assert await browser.who() is None
