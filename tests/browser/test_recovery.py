"""A forgotten password, by the keyboard on a computer and by the thumb on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.support.accounts import ZHANG, member_at
from tests.support.calls import Caller, Deployment
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.inbox import by_page, code_to
from tests.support.looks import Looks
from tests.support.phone import log_in, people

OLD, NEW = "Old-wansui-7", "New-wansui-8"


async def asks_for_a_code(computer: Computer, demo: Demo) -> None:
    """Misread the captcha, read the next one, and ask for a code by the button."""
    page = computer.page
    captcha = page.locator("#f-captcha")
    await captcha.fill("x")
    await page.get_by_role("button", name="获取验证码").press("Enter")
    await expect(captcha).to_have_attribute("aria-invalid", "true")
    await expect(captcha).to_be_focused()
    await page.keyboard.type(await computer.captcha(demo))
    await page.get_by_role("button", name="获取验证码").press("Enter")
    await expect(page.get_by_role("button", name=re.compile("秒后重新获取"))).to_be_visible()
    await expect(page.get_by_role("status")).to_contain_text("验证码已发送")
    await expect(page.locator("#f-code")).to_be_focused()
    await expect(captcha).to_be_hidden()


@pytest.mark.req("REC-1", "REC-2", "UX-2", "UX-3", "UX-5")
@pytest.mark.attack("R2")
async def test_a_real_named_person_recovers_by_the_keyboard_alone(demo: Demo, computer: Computer) -> None:
    page, number = computer.page, "15400087001"
    await member_at(demo.config, username="recover_pc", phone=number, password=OLD, document=ZHANG)
    looks = Looks(computer, "recover-pc")
    await page.goto("/login?tab=account")
    await page.get_by_role("link", name="忘记密码").press("Enter")
    await expect(page.get_by_role("heading", name="找回密码")).to_be_visible()
    await looks.at("name")
    await page.keyboard.press("Enter")
    await page.get_by_role("textbox", name="账户名").press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("有2处需要修改")
    await looks.at("name-empty")
    await page.get_by_role("textbox", name="账户名").fill("recover_pc")
    await page.locator("#f-captcha").fill(await computer.captcha(demo))
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", name="您正在为【r***********c】找回密码，请选择验证方式")).to_be_visible()
    await expect(page.get_by_text("154****7001")).to_be_visible()
    await looks.at("ways")
    await page.get_by_role("link", name="当前手机号不再使用？点击此处").press("Enter")
    await expect(page.get_by_role("heading", name="当前手机号不再使用")).to_be_visible()
    await looks.at("help")
    await page.get_by_role("link", name="前往找回").press("Enter")
    await expect(page.get_by_role("heading", name="通过京通找回")).to_be_visible()
    await computer.shows("waiting")
    await looks.at("jingtong")
    await page.get_by_role("link", name="返回上一页").press("Enter")
    await page.get_by_role("link", name="前往找回").press("Enter")

    await expect(page.get_by_role("heading", name="您正在使用手机+证件号进行校验")).to_be_visible()
    await looks.at("code")
    await page.get_by_role("textbox", name="证件号").fill(ZHANG.number)
    await asks_for_a_code(computer, demo)
    await expect(page.get_by_role("textbox", name="证件号")).to_have_value(ZHANG.number)
    await looks.at("code-sent")
    await page.locator("#f-code").fill(await code_to(by_page(page, demo), number))
    await page.get_by_role("textbox", name="证件号").fill("440524188001010014")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="证件号")).to_be_focused()
    await looks.at("document-wrong")
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.type(ZHANG.number)
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("textbox", name="设置新密码")).to_be_visible()
    await looks.at("password")
    await page.get_by_role("textbox", name="设置新密码").fill("short")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="设置新密码")).to_be_focused()
    await looks.at("password-short")
    await page.keyboard.type(NEW)
    await page.get_by_role("textbox", name="确定新密码").fill(NEW)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="新密码已设置")).to_be_visible()
    await looks.at("done")
    await page.get_by_role("link", name="立即登录").press("Enter")
    await expect(page).to_have_url(re.compile(r"/login\?tab=account$"))
    await page.get_by_label("用户名/手机号/身份证号").fill("recover_pc")
    await page.locator("#f-password").fill(NEW)
    await page.locator("#f-captcha").fill(await computer.captcha(demo))
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/centre$"))
    assert looks.found == []


@pytest.mark.req("REC-2", "UX-2", "UX-3")
async def test_an_account_without_a_phone_is_proved_in_jingtong(demo: Demo, computer: Computer) -> None:
    page, looks = computer.page, Looks(computer, "recover-jingtong")
    async with Caller(Deployment(demo.server, demo.sandbox, demo.server)) as calling:
        (person,) = [person for person in await people(calling) if person.name == "郭小雨"]
        phone = await log_in(calling, "baidu", person)
        await page.goto("/recover")
        await page.get_by_role("textbox", name="账户名").fill(person.document_number)
        await page.locator("#f-captcha").fill(await computer.captcha(demo))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="通过京通找回")).to_be_visible()
        await looks.at("ways")
        await page.get_by_role("link", name="前往找回").press("Enter")
        await computer.shows("waiting")
        scanned = await phone.scan(await computer.photographed())
        await computer.shows("scanned")
        await phone.confirm(scanned.json())
    await expect(page.get_by_role("textbox", name="设置新密码")).to_be_visible()
    assert looks.found == []


@pytest.mark.req("REC-3", "UX-2", "UX-3")
async def test_somebody_recovers_on_a_phone(demo: Demo, handheld: Computer) -> None:
    number = "15400087002"
    await member_at(demo.config, username="recover_h5", phone=number, password=OLD)
    page, looks = handheld.page, Looks(handheld, "recover-h5")
    await page.goto("/recover")
    await expect(page).to_have_url(re.compile("/h5/recover$"))
    await looks.at("phone")
    await page.get_by_label("手机号").fill("154 0008 7002")
    await page.locator("#f-captcha").fill(await handheld.captcha(demo))
    await page.get_by_role("button", name="下一步").tap()
    await expect(page.get_by_role("heading", name="检验身份")).to_be_visible()
    await looks.at("code")
    await asks_for_a_code(handheld, demo)
    await page.locator("#f-code").fill(await code_to(by_page(page, demo), number))
    await looks.at("code-sent")
    await page.get_by_role("button", name="下一步").tap()
    await expect(page.get_by_role("heading", name="重置密码")).to_be_visible()
    await page.get_by_label("输入新密码").fill(NEW)
    await page.get_by_role("button", name="显示").first.tap()
    await expect(page.get_by_label("输入新密码")).to_have_attribute("type", "text")
    await looks.at("password")
    await page.get_by_label("确认新密码").fill(NEW)
    await page.get_by_role("button", name="下一步").tap()
    await expect(page.get_by_role("heading", name="新密码已设置")).to_be_visible()
    await looks.at("done")
    await page.get_by_role("link", name="立即登录").tap()
    await expect(page).to_have_url(re.compile("/h5/login"))
    assert looks.found == []


@pytest.mark.req("REC-3", "REC-4", "UX-2")
async def test_on_a_phone_the_owner_of_a_number_without_an_account_is_led_on(demo: Demo, handheld: Computer) -> None:
    number = "15400087003"
    page, looks = handheld.page, Looks(handheld, "recover-h5")
    await page.goto("/h5/recover")
    await page.get_by_label("手机号").fill(number)
    await page.locator("#f-captcha").fill(await handheld.captcha(demo))
    await page.get_by_role("button", name="下一步").tap()
    await asks_for_a_code(handheld, demo)
    await page.locator("#f-code").fill(await code_to(by_page(page, demo), number))
    await page.get_by_role("button", name="下一步").tap()
    await expect(page.get_by_role("heading", name="这个手机号还没有注册")).to_be_visible()
    await looks.at("nobody")
    await page.get_by_role("link", name="立即注册").tap()
    await expect(page).to_have_url(re.compile("/h5/register"))
    assert looks.found == []
