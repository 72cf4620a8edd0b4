"""个人中心 in Chromium, on a computer and on a phone: settings, devices, the log, and the end of an account."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import ComputerFactory
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.handset import Handset
from tests.support.inbox import by_page, code_to
from tests.support.looks import Looks
from tests.support.screens import (
    NEW_PASSWORD,
    PASSWORD,
    asks_for_a_code,
    gets_a_code,
    goes_on,
    logs_in,
    logs_in_on_a_phone,
    proves_it,
)
from tests.support.town import acquaint


@pytest.mark.req("ACC-1", "ACC-2", "ACC-5", "ACC-8", "SES-1", "SES-3", "UX-2", "UX-3", "UX-5")
async def test_somebody_changes_their_password_at_a_computer(
    demo: Demo, computer: Computer, computer_at: ComputerFactory
) -> None:
    number = "15400085001"
    elsewhere = await computer_at(demo)
    page = await logs_in(demo, computer, "centre_pc", number)
    looks = Looks(computer, "centre-pc")
    await expect(page.get_by_role("heading", name="个人信息")).to_be_visible()
    await looks.at("centre")

    await page.get_by_role("link", name="修改 民族").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("民族")).to_be_focused()
    await page.get_by_label("民族").select_option(label="满族")
    await looks.at("ethnicity")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("修改成功")
    await expect(page.get_by_text("满族")).to_be_visible()
    await expect(page.get_by_role("link", name="修改 民族")).to_be_focused()
    await looks.at("saved")

    await page.get_by_role("link", name="修改 账户密码").click()
    await expect(page.get_by_role("heading", name="修改密码")).to_be_visible()
    await expect(page.get_by_text("154****5001")).to_be_visible()
    await looks.at("identity")
    await goes_on(computer)
    await expect(page.get_by_text("请先获取验证码，再输入收到的6位数字")).to_be_visible()
    await expect(page.get_by_label("手机验证码", exact=True)).to_be_focused()
    await asks_for_a_code(demo, computer)
    await expect(page.get_by_text("验证码已发送，请查看手机")).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("[0-9]+秒后重新获取"))).to_be_visible()
    await expect(page.get_by_label("手机验证码", exact=True)).to_be_focused()
    await looks.at("identity-sent")
    await page.keyboard.type(await code_to(by_page(page, demo), number))
    await page.keyboard.press("Enter")

    await expect(page.get_by_label("输入旧密码")).to_be_visible()
    await looks.at("password")
    await goes_on(computer)
    await expect(page.get_by_role("alert")).to_contain_text("有2处需要修改")
    await expect(page.get_by_role("alert")).to_be_focused()
    await looks.at("password-missing")
    await page.get_by_label("输入旧密码").fill("not-the-old-1")
    await page.get_by_label("输入新密码").fill(NEW_PASSWORD)
    await page.get_by_label("确定新密码").fill(NEW_PASSWORD)
    await goes_on(computer)
    await expect(page.get_by_text("旧密码不对，请检查后再输入")).to_be_visible()
    for label in ("输入旧密码", "输入新密码", "确定新密码"):
        await expect(page.get_by_label(label)).to_have_value("")
    await page.get_by_label("输入旧密码").fill(PASSWORD)
    await page.get_by_label("输入新密码").fill(NEW_PASSWORD)
    await page.get_by_label("确定新密码").fill(NEW_PASSWORD)
    await goes_on(computer)
    await expect(page.get_by_role("heading", name="修改成功，请牢记新密码！")).to_be_visible()
    await looks.at_the_end("password-done")
    await page.reload()
    await expect(page.get_by_role("heading", name="修改成功，请牢记新密码！")).to_be_visible()
    # It leads back by itself, after seven seconds.
    await expect(page).to_have_url(re.compile("/centre$"))
    await expect(page.get_by_role("region", name="安全提醒")).to_contain_text("密码已修改")
    await looks.at("reminder")

    await page.get_by_role("link", name="我的设备").click()
    await expect(page.get_by_text("当前设备")).to_be_visible()
    await looks.at("devices")
    await page.get_by_role("link", name="个人中心").click()
    await page.get_by_role("link", name="登录记录").click()
    await expect(page.get_by_text("修改民族")).to_be_visible()
    await looks.at("log")
    assert (looks.found, computer.faults, elsewhere.faults) == ([], [], [])


@pytest.mark.req("ACC-3", "ACC-8", "UX-2", "UX-3", "UX-5")
@pytest.mark.attack("R4")
async def test_somebody_changes_their_number_on_a_phone(demo: Demo, handheld: Computer) -> None:
    number, new = "15400085002", "15400085102"
    page = handheld.page
    looks = Looks(handheld, "centre-h5")
    await logs_in_on_a_phone(demo, handheld, "centre_h5", number)
    await looks.at("centre")
    # Phones are led to the pages made for them, whatever link they follow.
    await page.goto("/centre/phone")
    await expect(page).to_have_url(re.compile("/h5/centre/phone$"))
    await asks_for_a_code(demo, handheld)
    await page.get_by_label("手机验证码", exact=True).fill(await code_to(by_page(page, demo), number))
    await looks.at("identity")
    await goes_on(handheld)
    await expect(page.get_by_text("一个账号只能绑定一个手机号码")).to_be_visible()
    await looks.at("phone")
    await page.get_by_label("手机号码").fill(number)
    await asks_for_a_code(demo, handheld)
    await expect(page.get_by_text("这就是您现在的手机号，请输入新的")).to_be_visible()
    await expect(page.get_by_label("手机号码")).to_be_focused()
    await page.get_by_label("手机号码").fill(new)
    await page.get_by_role("button", name="获取验证码").click()
    await expect(page.get_by_text("验证码已发送")).to_be_visible()
    await expect(page.locator("#f-captcha")).to_be_hidden()
    await page.get_by_label("手机验证码", exact=True).fill(await code_to(by_page(page, demo), new))
    await looks.at("phone-filled-in")
    await goes_on(handheld)
    await expect(page.get_by_role("heading", name="设置成功，请牢记您的手机号码！")).to_be_visible()
    await looks.at_the_end("phone-done")
    # Back and reload are safe: they say again how it ended.
    await page.go_back()
    await expect(page.get_by_role("heading", name="设置成功，请牢记您的手机号码！")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", name="设置成功，请牢记您的手机号码！")).to_be_visible()
    await page.get_by_role("link", name="个人中心").last.click()
    await expect(page.get_by_text("154****5102")).to_be_visible()
    await page.get_by_role("link", name="有新的安全提醒，请看一下").click()
    await looks.at("reminder")
    for path in ("devices", "log", "cancel", "mail", "username"):
        await page.goto(f"/h5/centre/{path}")
        await looks.at(path)
    assert (looks.found, handheld.faults) == ([], [])


@pytest.mark.req("ACC-1", "ACC-6", "ACC-8", "UX-2", "UX-5")
async def test_somebody_changes_their_username_at_a_computer(demo: Demo, computer: Computer) -> None:
    number = "15400085004"
    page = await logs_in(demo, computer, "centre_name", number)
    looks = Looks(computer, "centre-name")
    await page.get_by_role("link", name="显示 用户名").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("centre_name", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name="隐藏 用户名")).to_be_focused()
    await looks.at("shown")
    await page.get_by_role("link", name="修改 用户名").click()
    await expect(page.get_by_role("link", name="改用京通扫码验证")).to_have_count(0)
    await proves_it(demo, computer, number)

    await page.get_by_label("新用户名").fill("centre_name")
    await goes_on(computer)
    await expect(page.get_by_text("这就是您现在的用户名，请换一个")).to_be_visible()
    await expect(page.get_by_label("新用户名")).to_be_focused()
    await expect(page.get_by_label("新用户名")).to_have_value("centre_name")
    await page.get_by_label("新用户名").fill("centre_renamed")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="修改成功，请牢记新用户名！")).to_be_visible()
    await page.get_by_role("link", name="个人中心").last.click()
    await page.get_by_role("link", name="显示 用户名").click()
    await expect(page.get_by_text("centre_renamed", exact=True)).to_be_visible()

    # A second code within the minute: how long to wait is said, and counted down.
    await page.get_by_role("link", name="我要绑定 邮箱").click()
    await asks_for_a_code(demo, computer)
    await expect(page.get_by_role("alert")).to_contain_text(re.compile("操作得太快了。请等[0-9]+秒后，再做一次。"))
    await expect(page.get_by_role("button", name=re.compile("[0-9]+秒后重新获取"))).to_be_visible()
    await looks.at("too-soon")
    assert (looks.found, computer.faults) == ([], [])


@pytest.mark.req("ACC-4", "ACC-8", "UX-2")
async def test_somebody_binds_a_mail_address_at_a_computer(demo: Demo, computer: Computer) -> None:
    number, address = "15400085009", "centre-post@qq.example"
    page, looks = await logs_in(demo, computer, "centre_post", number), Looks(computer, "centre-mail")
    await page.get_by_role("link", name="我要绑定 邮箱").click()
    await proves_it(demo, computer, number)
    await expect(page.get_by_text("请确保您输入的邮箱地址能正常接收邮件")).to_be_visible()
    await page.get_by_label("邮箱地址").fill(address)
    await gets_a_code(demo, computer, address)
    await looks.at("sent")
    await goes_on(computer)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("成功")
    await looks.at_the_end("done")
    await page.get_by_role("link", name="个人中心").last.click()
    await expect(page.get_by_text("@qq.example")).to_be_visible()
    assert looks.found == []


@pytest.mark.req("ACC-6", "ACC-8")
async def test_somebody_changes_their_username_on_a_phone(demo: Demo, handheld: Computer) -> None:
    number, page = "15400085005", handheld.page
    await logs_in_on_a_phone(demo, handheld, "centre_hand", number)
    await page.get_by_role("link", name="修改 用户名").click()
    await proves_it(demo, handheld, number)
    await page.get_by_label("新用户名").fill("bjt_10000000001")
    await goes_on(handheld)
    await expect(page.get_by_text("这种用户名由系统分配，请换一个")).to_be_visible()
    await page.get_by_label("新用户名").fill("centre_handy")
    await goes_on(handheld)
    await expect(page.get_by_role("heading", name="修改成功，请牢记新用户名！")).to_be_visible()
    await page.get_by_role("link", name="个人中心").last.click()
    await expect(page).to_have_url(re.compile("/h5/centre$"))
    await page.get_by_role("link", name="显示 用户名").click()
    await expect(page.get_by_text("centre_handy", exact=True)).to_be_visible()
    assert handheld.faults == []


@pytest.mark.req("ACC-7", "UX-2", "UX-4")
async def test_an_account_ends_at_a_computer_without_a_script(demo: Demo, computer_at: ComputerFactory) -> None:
    computer = await computer_at(demo, java_script_enabled=False)
    page, number = computer.page, "15400085003"
    await logs_in(demo, computer, "centre_end", number)
    await page.get_by_role("link", name="账号注销").click()
    await expect(page.get_by_role("heading", name="申请账号注销")).to_be_visible()
    await page.get_by_role("button", name="仍要注销").click()
    await page.locator("#f-captcha").fill(await computer.captcha(demo))
    await page.get_by_role("button", name="获取验证码").click()
    await expect(page.get_by_text("验证码已经发出")).to_be_visible()
    await page.get_by_label("手机验证码", exact=True).fill(await code_to(by_page(page, demo), number))
    await page.get_by_role("button", name="确认注销账号", exact=True).click()
    await expect(page.get_by_role("heading", name="账号已注销")).to_be_visible()
    await page.get_by_role("link", name="重新登录").click()
    await page.goto("/login?tab=account")
    await page.get_by_label("用户名/手机号/身份证号").fill("centre_end")
    await page.locator("#f-password").fill(PASSWORD)
    await page.locator("#f-captcha").fill(await computer.captcha(demo))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("账号或密码不正确")


@pytest.mark.req("ACC-2", "ACC-8", "SES-2", "UX-2")
@pytest.mark.attack("P7")
async def test_an_account_without_a_phone_denies_another_login_and_sets_a_password_by_jingtong(
    demo: Demo, computer: Computer, computer_at: ComputerFactory, phone: Handset
) -> None:
    person, page, other = "刘子涵", computer.page, await computer_at(demo)
    await acquaint(demo, person, "wechat")
    await phone.log_in(person, "wechat")
    looks = Looks(computer, "centre-qr")
    for screen in (other, computer):
        await screen.open()
        await phone.scans(screen)
        await phone.confirms()
        await screen.is_in(f"{person[0]}**")
        await phone.press("完成")
    await looks.at("reminders")
    await page.get_by_role("button", name=re.compile("^不是我 用微信京通扫码登录")).first.click()
    await expect(page.get_by_role("heading", name="那次登录已结束")).to_be_visible()
    await looks.at("denied")
    await other.page.goto("/centre")
    await expect(other.page).to_have_url(re.compile("/login$"))

    await page.goto("/centre")
    await page.get_by_role("link", name="设置密码 账户密码").click()
    await expect(page.get_by_role("heading", name="设置密码")).to_be_visible()
    await expect(page.get_by_role("heading", name="您的账号还没有绑定手机号")).to_be_visible()
    await looks.at("no-phone")
    await page.get_by_role("link", name="用京通扫码验证", exact=True).click()
    await computer.shows("waiting")
    await phone.scans(computer, "修改密码？")
    await phone.press("确认修改密码")
    await expect(page).to_have_url(re.compile("/centre/password$"))
    await expect(page.get_by_label("输入旧密码")).to_have_count(0)
    await page.get_by_label("输入新密码").fill(NEW_PASSWORD)
    await page.get_by_label("确定新密码").fill(NEW_PASSWORD)
    await goes_on(computer)
    await expect(page.get_by_role("heading", name="修改成功，请牢记新密码！")).to_be_visible()
    assert looks.found == []
