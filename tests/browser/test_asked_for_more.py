"""What a site may ask for before it is answered, as people go through it: a login anew, another account, a level."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, expect

from bjidp.oidc.pkce import challenge_of
from tests.browser.test_identity import person, states, verifies
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.looks import Looks
from tests.support.registrant import Registrant
from tests.support.screens import logs_in, logs_in_on_a_phone
from tests.support.sites import register

CALLBACK = "http://localhost:9/callback"
VERIFIER = "v" * 43


async def asking(demo: Demo, **change: str) -> str:
    """Return the address of a request by a site of its own, at which nobody listens."""
    site = await register(
        demo.config,
        {
            "client_name": "办事指南",
            "client_uri": "http://localhost:9/",
            "redirect_uris": [CALLBACK],
            "scope": "openid profile",
            "token_endpoint_auth_method": "none",
        },
    )
    request = {
        "client_id": site.client_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": "s",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }
    return "/oauth/authorize?" + urlencode(request | change)


async def returned(page: Page, press: str) -> str:
    """Press a button that ends at the site; return what the site is told."""
    async with page.expect_request(re.compile(f"^{re.escape(CALLBACK)}")) as sent:
        await page.get_by_role("button", name=press).click()
    return (await sent.value).url


@pytest.mark.req("RP-2", "ACC-8", "UX-2")
async def test_somebody_is_asked_to_log_in_anew_and_to_choose(demo: Demo, computer: Computer) -> None:
    phone, looks = "15420005101", Looks(computer, "asked")
    page = await logs_in(demo, computer, "asked_5101", phone)
    await page.goto(await asking(demo, prompt="login select_account"))
    await expect(page.get_by_role("heading", name="请重新登录")).to_be_visible()
    await looks.at("login-again")
    await page.get_by_role("button", name="验证身份后继续").click()
    await verifies(demo, computer, phone, 1)
    await looks.at("verify")
    await page.get_by_role("button", name="下一步", exact=True).click()
    await expect(page.get_by_role("heading", name="授权并登录办事指南")).to_be_visible()
    await looks.at("consent")
    assert "code=" in await returned(page, "同意并登录")

    await page.goto(await asking(demo, prompt="select_account"))
    await expect(page.get_by_role("heading", name="选择账号")).to_be_visible()
    await looks.at("choose")
    await page.get_by_role("button", name="换一个账号登录").click()
    await expect(page).to_have_url(re.compile("/login$"))
    await expect(page.get_by_role("heading", name="安全登录办事指南")).to_be_visible()
    await looks.at("other")
    assert looks.found == []


@pytest.mark.req("RNV-9", "RP-2", "UX-3")
async def test_somebody_on_a_phone_proves_their_name_for_a_site_and_goes_back(demo: Demo, handheld: Computer) -> None:
    phone, looks = "15420005102", Looks(handheld, "asked-h5")
    page = await logs_in_on_a_phone(demo, handheld, "asked_5102", phone)
    who = await person(page, demo, "ma-chao")
    await page.goto(await asking(demo, acr_values="L2"))
    await expect(page.get_by_text("提示：您当前访问业务要求完成以下信息认证方可登录")).to_be_visible()
    await looks.at("more")
    await page.get_by_role("button", name="去认证 实名认证").click()
    await verifies(demo, handheld, phone, 1)
    await page.get_by_role("button", name="下一步", exact=True).click()
    await states(page, who, "真实姓名")
    await page.get_by_label("生效日期", exact=True).fill(who["valid_from"])
    await page.locator("#f-valid_to").fill(who["valid_to"])
    await page.get_by_role("button", name="认证", exact=True).click()
    # At once: it leads on by itself.
    await page.get_by_role("link", name="继续登录").click()
    await expect(page.get_by_role("heading", name="授权并登录办事指南")).to_be_visible()
    assert "code=" in await returned(page, "同意并登录")

    await page.goto(await asking(demo, acr_values="L3"))
    await looks.at("more-l3")
    asked = page.url
    await page.get_by_role("button", name="去认证 人脸识别认证").click()
    await expect(page.get_by_role("heading", name="请先用京通登录本账号")).to_be_visible()
    await looks.at("face-first")
    await page.get_by_role("link", name="已完成，继续登录").click()
    await expect(page).to_have_url(asked)
    assert "error=unmet_authentication_requirements" in await returned(page, "返回办事指南")
    assert looks.found == []


@pytest.mark.req("REG-3", "REG-6", "LOG-8", "UX-3")
async def test_somebody_registers_on_a_phone_for_a_site_and_goes_on_to_it(demo: Demo, handheld: Computer) -> None:
    page, phone, looks = handheld.page, "15420005103", Looks(handheld, "asked-register")
    await page.goto(await asking(demo))
    await expect(page).to_have_url(re.compile("/h5/login$"))
    await expect(page.get_by_text("登录后返回：办事指南")).to_be_visible()
    await looks.at("login")
    await page.get_by_role("link", name="注册").first.click()
    somebody = Registrant(handheld, demo, "/h5/register")
    await somebody.names(phone)
    await somebody.asks_for_a_code()
    await somebody.completes(await somebody.code(phone))
    await somebody.sends()
    await somebody.skips()
    await somebody.is_done()
    await looks.at("done")
    await page.get_by_role("link", name="办事指南").click()
    await expect(page.get_by_role("heading", name="授权并登录办事指南")).to_be_visible()
    await looks.at("consent")
    assert "code=" in await returned(page, "同意并登录")
    assert looks.found == []
