"""Registering in Chromium, on a computer and on a phone, through to the personal centre."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import PHONE
from tests.support.accessibility import violations
from tests.support.accounts import member_at
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.looks import Looks
from tests.support.registrant import Registrant


@pytest.mark.req("REG-1", "REG-2", "REG-6", "UX-2", "UX-5")
async def test_somebody_registers_on_a_computer_and_is_told_what_is_wrong_on_the_way(
    demo: Demo, computer: Computer
) -> None:
    somebody, page = Registrant(computer, demo), computer.page
    found: list[str] = []

    async def look(name: str) -> None:
        await computer.hang(f"register-{name}")
        found.extend(f"{name}: {line}" for line in await violations(page))

    await somebody.open()
    await look("form")
    await somebody.sends()
    summary = page.get_by_role("alert")
    await expect(summary).to_contain_text("有5处需要修改")
    await expect(summary).to_be_focused()
    await look("missing")
    await summary.get_by_role("link", name="手机号").click()
    await expect(page.get_by_label("手机号", exact=True)).to_be_focused()

    await somebody.names("15420001001", "1zhang")
    await somebody.asks_for_a_code()
    await expect(page.get_by_text("用户名的第1位必须是字母")).to_be_visible()
    await expect(page.get_by_label("用户名")).to_be_focused()
    await somebody.names("15420001001", "zhang_1001")
    await page.get_by_label("图形验证码", exact=True).fill("x")
    shown = await page.locator("img[data-captcha]").get_attribute("data-captcha")
    await page.get_by_role("button", name="获取验证码").click()
    await expect(page.get_by_text("请重新输入新图中的4位数字")).to_be_visible()
    assert await page.locator("img[data-captcha]").get_attribute("data-captcha") != shown
    await look("captcha-wrong")

    # As after a quarter of an hour: the browser is not known any more, and what was typed is still there.
    await page.context.clear_cookies()
    await somebody.asks_for_a_code()
    await expect(page.get_by_role("alert")).to_contain_text("页面已经失效")
    await somebody.asks_for_a_code()
    await expect(page.get_by_role("button", name=re.compile("[0-9]+秒后重新获取"))).to_be_visible()
    await expect(page.get_by_text("验证码已发送")).to_be_visible()
    await expect(page.get_by_label("短信验证码", exact=True)).to_be_focused()
    await expect(page.get_by_label("图形验证码", exact=True)).to_be_hidden()
    await expect(page.get_by_label("用户名")).to_have_value("zhang_1001")
    await look("code-sent")
    await somebody.completes(await somebody.code("15420001001"))
    await somebody.sends()
    await expect(page).to_have_url(re.compile("/register/identity$"))
    await look("identity")
    await somebody.skips()
    await somebody.is_done()
    await look("done")
    # Back and reload are safe, and lead to what is due.
    await page.go_back()
    await somebody.is_done()
    await page.reload()
    await somebody.is_done()
    await expect(page.get_by_role("link", name="网上办事大厅首页")).to_have_attribute("href", re.compile(demo.portal))
    await page.get_by_role("link", name="个人中心").click()
    await expect(page).to_have_url(re.compile("/centre$"))
    await expect(page.get_by_role("heading", name="个人中心")).to_be_visible()
    assert found == []


@pytest.mark.req("REG-2", "UX-2")
async def test_whoever_asks_for_another_code_is_shown_another_captcha(demo: Demo, computer: Computer) -> None:
    somebody, page = Registrant(computer, demo), computer.page
    await page.clock.install()
    await somebody.open()
    await somebody.names("15420001004")
    await somebody.asks_for_a_code()
    captcha = page.get_by_label("图形验证码", exact=True)
    await expect(captcha).to_be_hidden()
    await page.get_by_label("密码", exact=True).fill("Wansui-8")
    await page.clock.fast_forward(61_000)
    button = page.get_by_role("button", name="重新获取", exact=True)
    await expect(button).to_be_visible()
    await expect(captcha).to_be_hidden()

    async def a_minute_later(route: Route) -> None:
        """Answer as the server does then: its own clock has not moved."""
        told = await (await route.fetch()).json()
        assert told["captcha"] == ""
        answer = await page.request.post("/captcha", headers={"Origin": demo.server}, data={})
        await route.fulfill(json={**told, "note": None, "wait": 0, "captcha": (await answer.json())["id"]})

    await page.route("**/register", a_minute_later)
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(captcha).to_be_visible()
    await expect(captcha).to_be_focused()
    await expect(captcha).to_have_value("")
    await expect(page.locator("img[data-captcha]")).to_be_visible()
    await expect(page.get_by_label("密码", exact=True)).to_have_value("Wansui-8")
    await computer.hang("register-asked-again")
    assert await violations(page) == []
    assert computer.faults == []


@pytest.mark.req("REG-3", "REG-6", "UX-2", "UX-3")
async def test_somebody_registers_on_a_phone(demo: Demo, handheld: Computer) -> None:
    somebody, page = Registrant(handheld, demo, "/h5/register"), handheld.page
    found: list[str] = []

    async def look(name: str) -> None:
        await handheld.hang(f"register-h5-{name}")
        found.extend(f"{name}: {line}" for line in await violations(page))
        for width in (320, PHONE["width"]):
            await page.set_viewport_size({"width": width, "height": PHONE["height"]})
            if not await page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                found.append(f"{name}: scrolls sideways at {width}")

    await somebody.open()
    await look("form")
    await somebody.names("15420001002")
    await somebody.asks_for_a_code()
    await somebody.completes(await somebody.code("15420001002"))
    await expect(page.get_by_label("图形验证码", exact=True)).to_be_hidden()
    await look("filled-in")
    await somebody.sends()
    await expect(page).to_have_url(re.compile("/h5/register/identity$"))
    await look("identity")
    await somebody.skips()
    await somebody.is_done()
    await look("done")
    await page.get_by_role("link", name="个人中心").click()
    await expect(page).to_have_url(re.compile("/centre$"))
    await expect(page.get_by_role("heading", name="个人中心")).to_be_visible()
    assert found == []
    assert handheld.faults == []


@pytest.mark.req("REG-2", "REG-8", "UX-5")
async def test_a_number_that_has_an_account_is_told_once_it_is_proved_with_the_ways_on(
    demo: Demo, handheld: Computer
) -> None:
    somebody, page, number = Registrant(handheld, demo, "/h5/register"), handheld.page, "15420001005"
    await member_at(demo.config, username="taken_1005", phone=number, password="Wansui-wansui-7")
    looks = Looks(handheld, "register-h5-taken")
    await somebody.open()
    await somebody.names(number)
    await somebody.asks_for_a_code()
    await somebody.completes(await somebody.code(number))
    await somebody.sends()
    await expect(page.get_by_text("这个手机号已经注册过，可以直接登录").first).to_be_visible()
    await looks.at("told")
    assert looks.found == []
    for way, where in (("找回密码", "recover"), ("这个号码以前是别人的？", "help/number-used$")):
        await expect(page.get_by_role("link", name=way)).to_have_attribute("href", re.compile(f"^/h5/{where}"))
    await page.get_by_role("main").get_by_role("link", name=re.compile("登录")).first.tap()
    await expect(page).to_have_url(re.compile("/h5/login"))
