"""Logging in by a form: at a computer by name and password, on a phone by password and by code."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import ComputerFactory
from tests.support.accounts import member_at
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.inbox import by_page, code_to
from tests.support.looks import Looks
from tests.support.screens import PASSWORD


@pytest.mark.req("LOG-1", "LOG-3", "REG-2", "UX-2", "UX-5")
async def test_somebody_logs_in_at_a_computer_by_name_and_password(demo: Demo, computer: Computer) -> None:
    page = computer.page
    await member_at(demo.config, username="login_pc", phone="15400086001", password=PASSWORD)
    looks = Looks(computer, "login-pc")
    await computer.open()
    picture = page.locator("img[data-captcha]")
    await expect(picture).to_be_hidden()
    await page.get_by_role("tab", name="账号登录").click()
    await expect(picture).to_be_visible()
    await looks.at("account")

    await page.get_by_label("用户名/手机号/身份证号").fill("login_pc")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("有2处需要修改")
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page.get_by_label("用户名/手机号/身份证号")).to_have_value("login_pc")
    await looks.at("missing")

    password = page.locator("#f-password")
    await password.fill("Wansui-wansui-8")
    await page.get_by_role("button", name="显示").click()
    await expect(password).to_have_attribute("type", "text")
    await page.get_by_role("button", name="隐藏").click()
    await expect(password).to_have_attribute("type", "password")
    shown = await picture.get_attribute("data-captcha")
    await page.get_by_role("button", name="换一张").click()
    await expect(picture).not_to_have_attribute("data-captcha", shown or "")
    await expect(password).to_have_value("Wansui-wansui-8")
    await page.locator("#f-captcha").fill(await computer.captcha(demo))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("账号或密码不正确")
    await expect(password).to_have_value("")
    await looks.at("wrong")
    # Two forms were refused; neither going back nor reloading sends one of them again.
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    for move in (page.go_back, page.go_forward, page.reload):
        await move()
        await expect(page).to_have_url(re.compile(r"/login\?tab=account$"))
    await expect(page.get_by_role("alert")).to_have_count(0)
    assert posted == []

    await page.get_by_label("用户名/手机号/身份证号").fill("login_pc")
    await password.fill(PASSWORD)
    await page.locator("#f-captcha").fill(await computer.captcha(demo))
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/centre$"))
    assert (looks.found, computer.faults) == ([], [])


@pytest.mark.req("LOG-5", "LOG-6", "REG-2", "UX-2", "UX-3")
async def test_somebody_logs_in_on_a_phone_by_password_and_by_code(demo: Demo, handheld: Computer) -> None:
    page, number = handheld.page, "15400086002"
    await member_at(demo.config, username="login_h5", phone=number, password=PASSWORD)
    looks = Looks(handheld, "login-h5")
    await page.goto("/login")
    await expect(page).to_have_url(re.compile("/h5/login$"))
    await expect(page.get_by_role("heading", name="北京市统一身份认证平台")).to_be_visible()
    await looks.at("password")
    await page.get_by_label("账号", exact=True).fill(number)
    await page.locator("#f-password").fill(PASSWORD)
    await page.locator("#f-captcha").fill(await handheld.captcha(demo))
    await page.get_by_role("button", name="授权并登录").click()
    await expect(page.get_by_text("请先阅读并同意，再继续")).to_be_visible()
    await looks.at("not-agreed")
    await page.get_by_role("checkbox").check()
    await page.locator("#f-password").fill(PASSWORD)
    await page.get_by_role("button", name="授权并登录").click()
    await expect(page).to_have_url(re.compile("/h5/centre$"))

    await page.context.clear_cookies()
    await page.goto("/h5/login")
    await page.get_by_role("link", name="验证码登录").click()
    await page.get_by_label("手机号", exact=True).fill("154 0008 6002")
    await page.locator("#f-captcha").fill(await handheld.captcha(demo))
    await page.get_by_role("button", name="获取验证码").click()
    await expect(page.get_by_role("button", name=re.compile("[0-9]+秒后重新获取"))).to_be_visible()
    await expect(page.get_by_text("验证码已发送")).to_be_visible()
    await expect(page.locator("#f-captcha")).to_be_hidden()
    await looks.at("code-sent")
    await page.locator("#f-code").fill(await code_to(by_page(page, demo), number))
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="授权并登录").click()
    await expect(page).to_have_url(re.compile("/h5/centre$"))
    assert (looks.found, handheld.faults) == ([], [])


@pytest.mark.req("LOG-6", "UX-4")
async def test_without_a_script_a_number_without_an_account_is_led_to_register(
    demo: Demo, handheld_at: ComputerFactory
) -> None:
    handheld = await handheld_at(demo, java_script_enabled=False)
    page, number = handheld.page, "15400086003"
    await page.goto("/h5/login?tab=code")
    await page.get_by_label("手机号", exact=True).fill(number)
    await page.locator("#f-captcha").fill(await handheld.captcha(demo))
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="获取验证码").click()
    await expect(page.get_by_text("验证码已经发出")).to_be_visible()
    await expect(page.locator("#f-captcha")).to_be_hidden()
    await page.get_by_role("button", name=re.compile("60秒后重新获取")).click()
    await expect(page.get_by_role("alert")).to_contain_text(re.compile("请等[0-9]+秒后"))
    await expect(page.locator("#f-captcha")).to_be_hidden()
    await expect(page.get_by_label("手机号", exact=True)).to_have_value(number)
    await expect(page.get_by_role("checkbox")).to_be_checked()
    await page.locator("#f-code").fill(await code_to(by_page(page, demo), number))
    await page.get_by_role("button", name="授权并登录").click()
    await expect(page.get_by_role("heading", name="这个手机号还没有注册")).to_be_visible()
    await handheld.hang("login-h5-no-account")
    await page.get_by_role("link", name="立即注册").click()
    await expect(page).to_have_url(re.compile("/h5/register"))
