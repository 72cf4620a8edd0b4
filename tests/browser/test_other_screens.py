"""The pages that were made for the other kind of screen: whoever is led to them all the same gets on.

A phone may ask for the pages of computers, and a link to a page for phones may be opened on a computer.
"""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from bjidp.person import DocumentType, Person
from tests.browser.conftest import ComputerFactory
from tests.support.accounts import member_at
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.looks import Looks
from tests.support.registrant import PASSWORD as CHOSEN
from tests.support.registrant import Registrant
from tests.support.screens import NEW_PASSWORD, PASSWORD, enters, enters_on_a_phone, gets_a_code, goes_on

ZHANG_SAN = Person(DocumentType.RESIDENT_ID, "张三", "101010199003070038")


@pytest.mark.req("REG-1", "LOG-1", "LOG-3", "UX-3")
async def test_a_phone_that_asks_for_the_pages_of_computers_registers_and_logs_in_there(
    demo: Demo, handheld_at: ComputerFactory
) -> None:
    handheld = await handheld_at(demo, asks_for_computers=True)
    page, looks = handheld.page, Looks(handheld, "narrow")
    await page.goto("/login?tab=account")
    for tab in ("扫码登录", "账号登录"):
        await expect(page.get_by_role("tab", name=tab)).to_be_visible()
    for link in ("返回", "用户操作手册下载", "忘记密码"):
        await expect(page.get_by_role("link", name=link).first).to_be_visible()
    await looks.at("login")
    await page.get_by_role("link", name="立即注册").first.tap()
    somebody = Registrant(handheld, demo)
    await expect(page.get_by_role("heading", name="注册账号", exact=True)).to_be_visible()
    await somebody.names("15400086011", "narrow_6011")
    await somebody.asks_for_a_code()
    await somebody.completes(await somebody.code("15400086011"))
    await looks.at("register")
    await somebody.sends()
    await somebody.skips()
    await somebody.is_done()
    await page.get_by_role("link", name="个人中心").tap()
    await expect(page).to_have_url(re.compile("/centre$"))
    await looks.at("centre")

    await page.context.clear_cookies()
    await enters(demo, handheld, "narrow_6011", CHOSEN)
    await expect(page).to_have_url(re.compile("/centre$"))
    assert looks.found == []


@pytest.mark.req("REC-1", "REC-2", "UX-3")
async def test_a_phone_that_asks_for_the_pages_of_computers_recovers_there(
    demo: Demo, handheld_at: ComputerFactory
) -> None:
    number = "15400087011"
    await member_at(demo.config, username="narrow_7011", phone=number, password=PASSWORD, document=ZHANG_SAN)
    handheld = await handheld_at(demo, asks_for_computers=True)
    page, looks = handheld.page, Looks(handheld, "narrow-recover")
    await page.goto("/recover")
    await page.get_by_role("textbox", name="账户名").fill("narrow_7011")
    await page.locator("#f-captcha").fill(await handheld.captcha(demo))
    await goes_on(handheld)
    await expect(page.get_by_text("154****7011")).to_be_visible()
    await looks.at("ways")
    await page.get_by_role("link", name="前往找回").first.tap()
    await page.get_by_role("textbox", name="证件号").fill(ZHANG_SAN.number)
    await gets_a_code(demo, handheld, number)
    await looks.at("code")
    await goes_on(handheld)
    await page.get_by_role("textbox", name="设置新密码").fill(NEW_PASSWORD)
    await page.get_by_role("textbox", name="确定新密码").fill(NEW_PASSWORD)
    await goes_on(handheld)
    await expect(page.get_by_role("heading", name="新密码已设置")).to_be_visible()
    assert looks.found == []


@pytest.mark.req("REG-3", "LOG-5", "LOG-6", "UX-3")
async def test_at_a_computer_the_pages_of_phones_register_and_log_in(demo: Demo, computer: Computer) -> None:
    page, number = computer.page, "15400086013"
    somebody = Registrant(computer, demo, "/h5/register")
    await somebody.open()
    await somebody.names("15400086012")
    await somebody.asks_for_a_code()
    await somebody.completes(await somebody.code("15400086012"))
    await somebody.sends()
    await somebody.skips()
    await somebody.is_done()
    await page.context.clear_cookies()
    await enters_on_a_phone(demo, computer, "15400086012", CHOSEN)
    await expect(page).to_have_url(re.compile("/centre$"))

    await page.context.clear_cookies()
    await member_at(demo.config, username="wide_6013", phone=number, password=PASSWORD)
    await page.goto("/h5/login?tab=code")
    await page.get_by_label("手机号", exact=True).fill(number)
    await gets_a_code(demo, computer, number)
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="授权并登录").click()
    await expect(page).to_have_url(re.compile("/centre$"))


@pytest.mark.req("REC-3", "REC-4", "UX-3")
async def test_at_a_computer_the_pages_of_phones_recover_and_the_other_computer_is_put_out(
    demo: Demo, computer_at: ComputerFactory
) -> None:
    number, computer, other = "15400087012", await computer_at(demo), await computer_at(demo)
    await member_at(demo.config, username="wide_7012", phone=number, password=PASSWORD)
    await enters(demo, other, "wide_7012")
    await expect(other.page).to_have_url(re.compile("/centre$"))
    page = computer.page
    await page.goto("/h5/recover")
    await page.get_by_label("手机号").fill(number)
    await page.locator("#f-captcha").fill(await computer.captcha(demo))
    await goes_on(computer)
    await gets_a_code(demo, computer, number)
    await goes_on(computer)
    await page.get_by_label("输入新密码").fill(NEW_PASSWORD)
    await page.get_by_label("确认新密码").fill(NEW_PASSWORD)
    await goes_on(computer)
    await expect(page.get_by_role("heading", name="新密码已设置")).to_be_visible()
    await other.page.reload()
    await expect(other.page).to_have_url(re.compile("/login"))
