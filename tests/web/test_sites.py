"""授权管理: what somebody lets sites read, and that they do so no more."""

from __future__ import annotations

import re

import jwt
import pytest

from tests.support.forms import form_of, links, send
from tests.support.program import Program
from tests.web.test_authorize import address, followed
from tests.web.test_logout import Listening, is_in, log_in, sites
from tests.web.test_relying_parties import Site, site

pytestmark = pytest.mark.req("LOG-8")

__all__ = ["site", "sites"]


@pytest.mark.parametrize("prefix", ["", "/h5"])
async def test_a_site_is_listed_with_what_it_may_read_until_that_is_withdrawn(
    program: Program, site: Site, sites: Listening, prefix: str
) -> None:
    browser = await program.signed_in()
    assert "没有网站或应用可以读取您的信息" in (await browser.get(f"{prefix}/centre/sites")).text
    given = await log_in(browser, site, "news")
    assert f"{prefix}/centre/sites" in links(await browser.get(f"{prefix}/centre"))
    shown = await browser.get(f"{prefix}/centre/sites")
    for words in ("首都之窗", "portal.example", "手机号", "正在登录"):
        assert words in shown.text
    form = form_of(shown, f"{prefix}/centre/sites")
    done = await send(browser, form, "")
    assert done.header("Location") == f"{prefix}/centre/sites?done=withdrawn"
    shown = await browser.get(str(done.header("Location")))
    assert "已撤回授权" in shown.text
    assert "portal.example" not in shown.text
    assert (await site.get("/oauth/userinfo", given["access_token"])).status == 401
    claims = await sites.next()
    named = jwt.decode(given["id_token"], options={"verify_signature": False})
    assert (claims["aud"], claims["sid"]) == ("news", named["sid"])
    assert await is_in(browser), "the session here goes on"
    assert (await browser.get(await followed(browser, address(client_id="news")))).status == 200, "it asks anew"
    again = await send(browser, form, "")
    assert again.header("Location") == f"{prefix}/centre/sites?done=none"


async def test_nobody_withdraws_what_somebody_else_has_agreed_to(
    program: Program, site: Site, sites: Listening
) -> None:
    owner = await program.signed_in()
    given = await log_in(owner, site, "news")
    other = await program.signed_in(await program.phone("li-siyuan"))
    await log_in(other, site, "mail")
    form = form_of(await other.get("/centre/sites"), "/centre/sites").typed(client="news")
    assert (await send(other, form, "")).header("Location") == "/centre/sites?done=none"
    assert (await site.get("/oauth/userinfo", given["access_token"])).status == 200


async def test_the_own_log_has_words_for_everything_that_becomes_of_a_site(
    program: Program, site: Site, sites: Listening
) -> None:
    browser = await program.signed_in()
    await log_in(browser, site, "news")
    await send(browser, form_of(await browser.get("/centre/sites"), "/centre/sites"), "")
    await sites.next()
    log = (await browser.get("/centre/log")).text
    for words in (
        "同意网站或应用读取信息",
        "登录网站或应用",
        "结束网站或应用的登录",
        "您撤回了授权",
        "撤回网站或应用的授权",
    ):
        assert words in log
    assert re.search(r"<strong>登录网站或应用</strong>.*</p>\s*<p>首都之窗</p>", log)
    assert re.search(r"<strong>结束网站或应用的登录</strong>.*</p>\s*<p>首都之窗 · 您撤回了授权</p>", log)
