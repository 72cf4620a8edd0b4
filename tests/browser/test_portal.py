"""首都之窗 as people use it: an ordinary site, an ordinary library, and the server in between (RP-4, LOG-8)."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_journeys import at_home
from tests.support.accounts import member_at
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.handset import Handset
from tests.support.looks import Looks
from tests.support.screens import PASSWORD

pytestmark = pytest.mark.req("RP-4", "LOG-8")


async def agrees(page: Page, *reads: str) -> None:
    """Look at what the portal will read, and agree."""
    await expect(page).to_have_url(re.compile(r"/oauth/continue\?request="))
    for words in reads:
        await expect(page.get_by_role("main")).to_contain_text(words)
    await page.get_by_role("button", name="同意并登录").click()


async def is_in(demo: Demo, page: Page, who: str, level: str) -> None:
    """Wait for 用户中心 of ``who``."""
    await expect(page).to_have_url(f"{demo.portal}/me")
    await expect(page.get_by_role("banner")).to_contain_text(who)
    await expect(page.get_by_role("link", name=f"实名等级：{level}")).to_be_visible()


@pytest.mark.req("LOG-2", "RP-2", "UX-2")
async def test_somebody_logs_in_to_the_portal_by_qr_and_goes_on_into_the_personal_centre(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    page, looks = computer.page, Looks(computer, "portal-pc")
    await at_home(demo, phone, "李思远")
    await page.goto(f"{demo.portal}/")
    await looks.at("home")
    await page.get_by_role("banner").get_by_role("link", name="登录").click()
    await computer.shows("waiting")
    await phone.scans(computer)
    await phone.shows("首都之窗", "localhost")
    await phone.confirms()
    await agrees(page, "首都之窗", "localhost", "李**")
    await is_in(demo, page, "李**", "中级认证")
    await expect(page.get_by_text("京通扫码")).to_be_visible()
    await looks.at("me")

    await page.get_by_role("button", name="更新信息").click()
    await is_in(demo, page, "李**", "中级认证")
    await page.get_by_role("link", name="办件进度提醒").click()
    await page.get_by_role("link", name="继续").click()
    await agrees(page, "首都之窗")
    await expect(page.get_by_text("已开启")).to_be_visible()
    await looks.at("reminders")
    await page.get_by_role("link", name="用户中心").click()
    for _ in range(2):
        await page.get_by_role("button", name="更新信息").click()
        await is_in(demo, page, "李**", "中级认证")
    await page.get_by_role("link", name="首页").click()
    await expect(page.get_by_role("status")).to_have_text("您已登录：李**，实名等级为中级认证。")
    await looks.at("home-signed-in")
    await page.get_by_role("link", name="进入用户中心").click()
    await page.get_by_role("link", name="实名等级").click()
    await computer.is_in("李**")
    assert looks.found == []


@pytest.mark.req("LOG-5", "UX-2", "UX-3")
async def test_somebody_logs_in_to_the_portal_on_a_phone_by_password(demo: Demo, handheld: Computer) -> None:
    page, number, looks = handheld.page, "15400097001", Looks(handheld, "portal-h5")
    await member_at(demo.config, username="portal_h5", phone=number, password=PASSWORD)
    await page.goto(f"{demo.portal}/")
    await looks.at("home")
    await page.get_by_role("link", name="用户中心").first.click()
    await expect(page.get_by_text("请先登录")).to_be_visible()
    await looks.at("login-first")
    await page.get_by_role("main").get_by_role("link", name="登录").click()
    await expect(page).to_have_url(re.compile(r"/h5/login"))
    await page.locator("#f-account").fill(number)
    await page.locator("#f-password").fill(PASSWORD)
    await page.locator("#f-captcha").fill(await handheld.captcha(demo))
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="授权并登录").click()
    await agrees(page, "首都之窗")
    await is_in(demo, page, "p***********5", "未实名")
    await looks.at("me")
    await page.get_by_role("link", name="实名等级").click()
    await expect(page).to_have_url(re.compile(r"/h5/centre$"))
    assert looks.found == []


async def test_whoever_does_not_agree_is_told_so_and_has_not_logged_in(demo: Demo, handheld: Computer) -> None:
    page, number, looks = handheld.page, "15400097002", Looks(handheld, "portal-h5")
    await member_at(demo.config, username="portal_no", phone=number, password=PASSWORD)
    await page.goto(f"{demo.portal}/services/company")
    await page.get_by_role("main").get_by_role("link", name="登录").click()
    await page.locator("#f-account").fill(number)
    await page.locator("#f-password").fill(PASSWORD)
    await page.locator("#f-captcha").fill(await handheld.captcha(demo))
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="授权并登录").click()
    await page.get_by_role("button", name="不同意").click()
    await expect(page.get_by_role("heading", name="您没有同意授权")).to_be_visible()
    await expect(page.get_by_role("banner").get_by_role("link", name="登录")).to_be_visible()
    await looks.at("denied")
    await page.get_by_role("link", name="重新登录").click()
    await agrees(page, "首都之窗")
    await expect(page.get_by_role("heading", name="您这次以本人身份登录")).to_be_visible()
    await looks.at("no-organisation")
    assert looks.found == []
