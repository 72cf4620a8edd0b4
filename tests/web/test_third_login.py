"""Logging in by what somebody has elsewhere: where it is offered, whom it lets in, and where that leads."""

from __future__ import annotations

import base64
import json

import pytest
from msgspec.structs import replace

from bjidp.platforms import Provider
from bjidp.standing import Level, Standing
from tests.support.browser import IPHONE
from tests.support.forms import form_of, links, send
from tests.support.members import enrolled
from tests.support.program import Program
from tests.support.providers import IN_WECHAT, agreed, come_back, left, returning
from tests.support.third_logins import (
    LINK,
    OTHER_PHONE,
    bound,
    register_form,
    where,
)
from tests.web.conftest import StartProgram
from tests.web.test_authorize import address, followed, told
from tests.web.test_relying_parties import Site, exchange, site

pytestmark = pytest.mark.req("LOG-4")

__all__ = ["site"]


@pytest.fixture
async def member(program: Program) -> Standing:
    return await enrolled(program)


async def test_the_login_page_names_the_four_in_the_manuals_order(program: Program) -> None:
    browser = await program.browser()
    for page in ("/login", "/login?tab=account"):
        shown = (await browser.get(page)).text
        labels = ("国家政务服务平台账号登录", "支付宝", "微信", "百度")
        places = [shown.index(f"</span>{label}</a>") for label in labels]
        assert places == sorted(places)
    assert "third" not in (await browser.get("/h5/login")).text, "the manual has them on computers alone"


async def test_only_providers_that_are_set_up_are_offered_and_served(start_program: StartProgram) -> None:
    program = await start_program(settings=lambda settings: replace(settings, wechat_login=None, baidu_login=None))
    browser = await program.browser()
    assert {link for link in links(await browser.get("/login")) if "third" in link} == {
        "/login/third/national",
        "/login/third/alipay",
    }
    for path in ("/login/third/wechat", "/login/third/baidu/callback?state=x&code=y", "/login/third/evil"):
        assert (await browser.get(path)).status == 404


@pytest.mark.attack("T2", "T8")
async def test_the_way_there_is_kept_in_a_cookie_that_no_script_reads(program: Program) -> None:
    browser = await program.browser()
    answer = await browser.get("/login/third/wechat")
    [cookie] = [line for line in answer.cookies if "bjidp_external" in line]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Max-Age" not in cookie
    secret = cookie.partition("=")[2].partition(";")[0]
    assert secret not in str(answer.header("Location"))
    assert answer.header("Cache-Control") == "no-store"
    again = await browser.get("/login/third/alipay")
    assert secret in str(again.cookies), "ways in other tabs go on"


async def test_a_login_by_a_provider_raises_no_level(program: Program, member: Standing) -> None:
    await bound(program, Provider.NATIONAL)
    browser = await program.browser()
    await come_back(browser, Provider.NATIONAL)
    found = await program.rooms.stores.members.member(member.account)
    assert found is not None
    assert found.standing.level is Level.L1
    assert found.document is None, "the stand-in tells a document at L3, which counts for nothing"


async def test_inside_wechat_it_is_the_public_account_and_the_same_person(program: Program, member: Standing) -> None:
    await bound(program, Provider.WECHAT)
    inside = await program.browser()
    inside.user_agent = IN_WECHAT
    page = await left(inside, Provider.WECHAT, "/h5")
    assert "/connect/oauth2/authorize" in page
    back = await agreed(inside, page)
    assert back is not None
    assert where(await inside.get(back)) == (303, "/h5/centre")


async def test_a_login_leads_where_somebody_was_turned_away_from(program: Program, member: Standing) -> None:
    await bound(program, Provider.NATIONAL)
    browser = await program.browser()
    assert where(await browser.get("/centre/devices")) == (303, "/login")
    assert where(await come_back(browser, Provider.NATIONAL)) == (303, "/centre/devices")


@pytest.mark.attack("Q28")
async def test_who_is_logged_in_becomes_nobody_else_by_a_provider(program: Program, member: Standing) -> None:
    """Neither by a link to it, nor by a way back that was open before the login."""
    await bound(program, Provider.WECHAT)
    await enrolled(program, username="li_si", phone=OTHER_PHONE)
    await bound(program, Provider.ALIPAY, OTHER_PHONE, "li-siyuan")
    browser = await program.browser()
    back = await returning(browser, Provider.WECHAT)
    assert where(await come_back(browser, Provider.ALIPAY, "li-siyuan")) == (303, "/centre")
    session = browser.session
    for page in (back, "/login/third/wechat", "/h5/login/third/wechat"):
        assert where(await browser.get(page)) == (303, "/h5/login" if page.startswith("/h5") else "/login"), page
        assert browser.session == session, page
    assert (await browser.get("/centre")).status == 200


@pytest.mark.req("LOG-8", "RP-2")
async def test_a_site_gets_its_user_back_and_is_told_that_somebody_else_has_authenticated_them(
    program: Program, site: Site
) -> None:
    # The fixture has an account of its own, with this number.
    await bound(program, Provider.WECHAT)
    browser = await program.browser()
    page = await followed(browser, address())
    assert await followed(browser, page) == "/login"
    answer = await come_back(browser, Provider.WECHAT)
    assert (answer.status, answer.header("Location")) == (303, page)
    agreed_to = await send(browser, form_of(await browser.get(page), "/oauth/continue"), "agree")
    back = told(await followed(browser, str(agreed_to.header("Location"))))
    given = await site.ask("/oauth/token", exchange(back["code"]))
    payload = given.json()["id_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert (claims["amr"], claims["acr"]) == (["fed"], "L1")


async def test_on_a_phone_the_page_is_one_for_phones(program: Program, member: Standing) -> None:
    await bound(program, Provider.WECHAT)
    browser = await program.browser()
    browser.user_agent = IPHONE
    assert where(await come_back(browser, Provider.WECHAT, prefix="/h5")) == (303, "/h5/centre")
    assert (await browser.get("/h5/centre/third")).status == 200
    stranger = await program.browser()
    stranger.user_agent = IPHONE
    answer = await come_back(stranger, Provider.WECHAT, "li-siyuan", "/h5")
    assert where(answer) == (303, f"/h5{LINK}")
    shown = await stranger.get(str(answer.header("Location")))
    assert where(await send(stranger, register_form(shown), "register")) == (303, "/h5/register")
