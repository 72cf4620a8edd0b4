"""Whoever asks for a page of their own without being logged in: told why, led to the login, and back to that page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import pytest

from bjidp.standing import Standing
from tests.support.browser import IPHONE, SECRET, SESSION, Browser
from tests.support.calls import Answer
from tests.support.forms import WebForm, form_of, forms, links, post, send
from tests.support.inbox import code_to
from tests.support.members import PASSWORD, PHONE, USERNAME, enrolled
from tests.support.owner import Owner
from tests.support.program import Program

ENDED: Final = "您的登录已结束，请重新登录"
BACK: Final = "登录后会回到刚才的页面"
FIRST: Final = "请先登录，登录后会打开您要去的页面"

LogIn: TypeAlias = Callable[[Program, Browser], Awaitable[str | None]]
"""Logs in on a browser, and returns where that leads."""


@pytest.fixture
async def member(program: Program) -> Standing:
    return await enrolled(program)


def solved(program: Program, form: WebForm) -> WebForm:
    return form.typed(captcha=program.captchas[form.captcha])


def where(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.header("Location")


async def by_password(program: Program, browser: Browser, password: str = PASSWORD) -> str | None:
    form = solved(program, form_of(await browser.get("/login?tab=account"), "/login"))
    answer = await send(browser, form.typed(account=USERNAME, password=password))
    return answer.header("Location")


async def by_password_on_a_phone(program: Program, browser: Browser, password: str = PASSWORD) -> str | None:
    form = solved(program, form_of(await browser.get("/h5/login"), "/h5/login"))
    answer = await send(browser, form.typed(account=PHONE, password=password, agreed="yes"))
    return answer.header("Location")


async def by_code_on_a_phone(program: Program, browser: Browser) -> str | None:
    form = solved(program, form_of(await browser.get("/h5/login?tab=code"), "/h5/login/code"))
    sent = form_of(await send(browser, form.typed(phone=PHONE), "code"), "/h5/login/code")
    code = await code_to(browser.caller.sandbox, PHONE)
    answer = await send(browser, sent.typed(code=code, agreed="yes"))
    return answer.header("Location")


async def by_qr(program: Program, browser: Browser) -> str | None:
    phone, screen = await program.phone(), await browser.screen()
    assert (await phone.confirm(await program.scanned(phone, screen))).status == 200
    answer = await browser.redeem((await browser.message("approved"))["grant"])
    return str(answer.json()["next"])


@pytest.mark.req("LOG-2", "LOG-3", "LOG-5", "LOG-6")
@pytest.mark.parametrize(
    ("page", "login", "log_in"),
    [
        ("/centre/devices", "/login", by_password),
        ("/centre/log", "/login", by_qr),
        ("/centre/verify/mail", "/login", by_password),
        ("/h5/centre/devices", "/h5/login", by_password_on_a_phone),
        ("/h5/centre/cancel", "/h5/login", by_code_on_a_phone),
    ],
)
async def test_a_stranger_logs_in_first_and_is_led_to_the_page_they_asked_for(
    program: Program, member: Standing, page: str, login: str, log_in: LogIn
) -> None:
    browser = await program.browser()
    assert where(await browser.get(page)) == (303, login)
    shown = (await browser.get(login)).text
    assert (FIRST in shown, ENDED in shown) == (True, False)
    assert await log_in(program, browser) == page
    assert browser.session is not None
    assert (await browser.get(page)).status == 200


@pytest.mark.req("SES-1")
@pytest.mark.parametrize(("prefix", "log_in"), [("", by_password), ("/h5", by_password_on_a_phone)])
async def test_whose_session_was_ended_elsewhere_is_told_so_and_goes_on_where_they_were(
    program: Program, member: Standing, prefix: str, log_in: LogIn
) -> None:
    lost, other = await Owner.of(program, member.account, prefix), await Owner.of(program, member.account)
    form = await lost.form("/centre/mail", "/centre/mail/identity")
    others = next(form for form in forms(await other.get("/centre/devices")) if "others" in form.acts)
    await send(other.browser, others, "others")
    # Of a form the page it was on is asked for again, and what a script posts is led like a page.
    assert where(await send(lost.browser, form, "code", Accept="application/json")) == (303, f"{prefix}/login")
    for _ in range(2):
        shown = (await lost.get("/login")).text
        assert (ENDED in shown, BACK in shown) == (True, True), "a script that was led here opens the page once more"
    assert await log_in(program, lost.browser) == f"{prefix}/centre/mail/identity"
    assert (await lost.get("/centre/mail/identity")).status == 200


@pytest.mark.req("SES-1")
async def test_a_session_that_is_over_is_told_of_until_the_next_login(program: Program, member: Standing) -> None:
    owner = await Owner.of(program, member.account)
    program.clock.advance(12 * 3600)
    assert where(await owner.get("/centre")) == (303, "/login")
    shown = (await owner.get("/login")).text
    assert (ENDED in shown, BACK in shown) == (True, False), "the centre is where every login leads"
    assert await by_password(program, owner.browser) == "/centre"
    out = form_of(await owner.get("/login"), "/logout")
    assert (await send(owner.browser, out)).status == 200
    shown = (await owner.get("/login")).text
    assert (ENDED in shown, FIRST in shown) == (False, False)


@pytest.mark.attack("T4")
async def test_no_client_says_where_a_login_leads(program: Program, member: Standing) -> None:
    for asked in (
        "/centre/devices?next=//evil.example",
        "/centre/devices?flow=//evil.example/%0d%0aLocation:x",
        "//evil.example/centre/devices",
        "/centre/%2e%2e/%2fevil.example",
        "/centre/verify/..%2f..%2fevil",
        "/login?next=//evil.example",
        "/login?next=/centre/devices",
    ):
        browser = await program.browser()
        await browser.get(asked)
        led = await by_password(program, browser)
        assert led == ("/centre/devices" if asked.startswith("/centre/devices") else "/centre"), asked


@pytest.mark.attack("T4", "Q1")
async def test_the_page_is_another_browsers_and_goes_with_the_login(program: Program, member: Standing) -> None:
    one, other = await program.browser(), await program.browser()
    await one.get("/centre/devices")
    assert await by_password(program, other) == "/centre"
    assert await by_password(program, one) == "/centre/devices"
    one.cookies.pop(program.deployments[0].cookie(SESSION))
    assert await by_password(program, one) == "/centre"


@pytest.mark.attack("W3", "Q28")
async def test_a_form_from_elsewhere_makes_no_browser_ask_for_a_page(program: Program, member: Standing) -> None:
    browser = await program.browser()
    answer = await post(browser, "/centre/cancel", {}, Origin="https://evil.example")
    assert (answer.status, answer.cookies) == (403, [])
    answer = await post(browser, "/not-me", {})
    assert where(answer) == (303, "/login")
    assert list(browser.cookies) == [program.deployments[0].cookie(SECRET)]
    assert await by_password(program, browser) == "/centre", "there is nothing to open at /not-me"


@pytest.mark.req("LOG-5")
async def test_a_phone_that_follows_a_link_to_a_page_for_computers_gets_there_by_the_login_for_phones(
    program: Program, member: Standing
) -> None:
    browser = await program.browser()
    browser.user_agent = IPHONE
    assert where(await browser.get("/centre/devices")) == (303, "/login")
    assert where(await browser.get("/login")) == (302, "/h5/login")
    assert FIRST in (await browser.get("/h5/login")).text
    assert await by_password_on_a_phone(program, browser) == "/centre/devices"
    assert where(await browser.get("/centre/devices")) == (303, "/h5/centre/devices")


@pytest.mark.req("REG-6")
async def test_who_registers_instead_is_not_said_to_have_come_from_the_portal(program: Program) -> None:
    browser = await program.browser()
    await browser.get("/centre/devices")
    await browser.get("/login")
    form = solved(program, form_of(await browser.get("/register"), "/register"))
    form = form.typed(phone=PHONE, username=USERNAME)
    sent = form_of(await browser.get((await send(browser, form, "code")).header("Location") or ""), "/register")
    code = await code_to(browser.caller.sandbox, PHONE)
    made = await send(browser, sent.typed(code=code, password=PASSWORD, again=PASSWORD, agreed="yes"))
    assert where(made) == (303, "/register/identity")
    skip = form_of(await browser.get("/register/identity"), "/register/identity")
    assert where(await send(browser, skip, "skip")) == (303, "/register/done")
    led = links(await browser.get("/register/done"))
    assert ("/centre" in led, "/centre/devices" in led) == (True, False)
