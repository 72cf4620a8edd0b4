"""授权管理, and log-outs that begin at a site, as people see them."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_portal import agrees, enters, is_in, is_told
from tests.support.accounts import member_at
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.looks import Looks
from tests.support.screens import PASSWORD

pytestmark = pytest.mark.req("RP-1", "LOG-8")

TOLD = "首都之窗也随之退出"


async def at_the_portal(demo: Demo, screen: Computer, username: str, number: str) -> Page:
    """Log in to the portal as somebody new."""
    await member_at(demo.config, username=username, phone=number, password=PASSWORD)
    await screen.page.goto(f"{demo.portal}/login")
    await enters(demo, screen, number)
    await agrees(screen.page, "首都之窗")
    await expect(screen.page).to_have_url(f"{demo.portal}/me")
    return screen.page


async def withdraws(demo: Demo, screen: Computer, looks: Looks) -> None:
    """Go from the portal to 授权管理 and withdraw there, with the keyboard."""
    page = screen.page
    await page.get_by_role("link", name="实名等级").click()
    await page.get_by_role("link", name="授权管理").click()
    site = page.locator("li.device")
    await expect(site).to_have_count(1)
    for words in ("首都之窗", "正在登录", "用户名和隐去部分文字的姓名"):
        await expect(site).to_contain_text(words)
    await looks.at("agreed")
    await page.get_by_role("button", name="撤回授权").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("已撤回授权，该网站会收到通知")
    await expect(site).to_have_count(0)
    await looks.at("withdrawn")
    await is_told(demo, page, TOLD)
    assert looks.found == []


async def test_somebody_withdraws_at_a_computer_what_the_portal_may_read(demo: Demo, computer: Computer) -> None:
    await at_the_portal(demo, computer, "sites_pc", "15400098001")
    await withdraws(demo, computer, Looks(computer, "sites-pc"))


async def test_somebody_withdraws_on_a_phone_what_the_portal_may_read(demo: Demo, handheld: Computer) -> None:
    page = await at_the_portal(demo, handheld, "sites_h5", "15400098002")
    await withdraws(demo, handheld, Looks(handheld, "sites-h5"))
    await page.get_by_role("link", name="重新登录").click()
    # Still logged in here: it is the agreement alone that is asked for anew.
    await agrees(page, "首都之窗")
    await is_in(demo, page, "s***********5", "未实名")


async def test_a_log_out_at_the_portal_is_one_from_the_personal_centre_too(demo: Demo, computer: Computer) -> None:
    page = await at_the_portal(demo, computer, "sites_out", "15400098003")
    await page.get_by_role("button", name="退出").first.click()
    await expect(page).to_have_url(re.compile(re.escape(demo.portal)))
    await expect(page.get_by_role("banner").get_by_role("link", name="登录")).to_be_visible()
    await page.goto(f"{demo.server}/centre")
    await expect(page).to_have_url(re.compile("/login$"))


async def is_asked(demo: Demo, screen: Computer, looks: Looks) -> None:
    """Be sent to be logged out by nobody who is known: once for nothing, once for good."""
    page = screen.page
    await page.goto(f"{demo.server}/oauth/logout")
    await expect(page.get_by_role("heading", name="退出登录？")).to_be_visible()
    await looks.at("asked")
    await page.get_by_role("button", name="暂不退出").click()
    await expect(page).to_have_url(re.compile("/centre$"))
    await page.goto(f"{demo.server}/oauth/logout")
    await page.get_by_role("button", name="退出", exact=True).click()
    await expect(page.get_by_role("heading", name="您已退出")).to_be_visible()
    await is_told(demo, page, TOLD)
    assert looks.found == []


async def test_who_is_sent_to_be_logged_out_at_a_computer_is_asked(demo: Demo, computer: Computer) -> None:
    await at_the_portal(demo, computer, "asked_pc", "15400098004")
    await is_asked(demo, computer, Looks(computer, "logout-pc"))


async def test_who_is_sent_to_be_logged_out_on_a_phone_is_asked(demo: Demo, handheld: Computer) -> None:
    await at_the_portal(demo, handheld, "asked_h5", "15400098005")
    await is_asked(demo, handheld, Looks(handheld, "logout-h5"))
