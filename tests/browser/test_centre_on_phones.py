"""个人中心 with a phone's own browser: mail, password, sessions that nobody wants any more, the end of an account."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import ComputerFactory
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.inbox import by_page, code_to
from tests.support.looks import Looks
from tests.support.screens import (
    NEW_PASSWORD,
    PASSWORD,
    asks_for_a_code,
    enters_on_a_phone,
    goes_on,
    logs_in_on_a_phone,
    proves_it,
)


@pytest.mark.req("ACC-1", "ACC-4", "ACC-5", "ACC-8", "UX-2", "UX-5")
async def test_somebody_binds_a_mail_address_on_a_phone(demo: Demo, handheld: Computer) -> None:
    number, address = "15400085006", "centre-mail@qq.example"
    page, looks = handheld.page, Looks(handheld, "centre-h5-mail")
    await logs_in_on_a_phone(demo, handheld, "centre_mail", number)
    for words in ("c***********l", "154****5006", "未绑定", "暂无信息"):
        await expect(page.get_by_role("main").get_by_text(words).first).to_be_visible()
    await page.get_by_role("link", name=re.compile("民族$")).tap()
    await page.get_by_label("民族").select_option(label="回族")
    await page.get_by_role("button", name="保存").tap()
    await expect(page.get_by_role("status")).to_have_text("修改成功")
    await expect(page.get_by_text("回族")).to_be_visible()

    await page.get_by_role("link", name="我要绑定 邮箱").tap()
    await proves_it(demo, handheld, number)
    await page.get_by_label("邮箱地址").fill("centre-mail")
    await asks_for_a_code(demo, handheld)
    await expect(page.locator("#e-mail")).to_contain_text("请输入完整的邮箱地址")
    await expect(page.get_by_label("邮箱地址")).to_have_value("centre-mail")
    await looks.at("address-wrong")
    await page.get_by_label("邮箱地址").fill(address)
    await page.get_by_role("button", name="获取验证码").tap()
    await expect(page.get_by_text("验证码已发送，请查看邮箱")).to_be_visible()
    code = await code_to(by_page(page, demo), address)
    for said in (*["验证码不对，请检查后再输入"] * 3, "再错一次，它就作废"):
        await page.get_by_label("邮箱验证码").fill(f"{(int(code) + 1) % 1_000_000:06}")
        await goes_on(handheld)
        await expect(page.locator("#e-code")).to_contain_text(said)
    await looks.at("last-try")
    await page.get_by_label("邮箱验证码").fill(code)
    await goes_on(handheld)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("成功")
    await looks.at("done")
    await page.get_by_role("link", name="个人中心").last.tap()
    await expect(page.get_by_text("@qq.example")).to_be_visible()
    assert looks.found == []


@pytest.mark.req("ACC-2", "ACC-8", "REC-4", "SES-1", "SES-2", "SES-3", "UX-2", "UX-5")
@pytest.mark.attack("P7")
async def test_a_new_password_set_on_a_phone_puts_the_other_phone_out_and_is_told_and_denied(
    demo: Demo, handheld_at: ComputerFactory
) -> None:
    here, there, third = [await handheld_at(demo) for _ in range(3)]
    number, looks = "15400085007", Looks(here, "centre-h5-devices")
    page = await logs_in_on_a_phone(demo, here, "centre_devs", number)
    for other in (there, third):
        await enters_on_a_phone(demo, other, number)
        await expect(other.page).to_have_url(re.compile("/h5/centre$"))

    await page.goto("/h5/centre/devices")
    devices = page.locator("li.device")
    await expect(devices).to_have_count(3)
    await devices.filter(has_not_text="当前设备").first.get_by_role("button").tap()
    await expect(page.get_by_role("status")).to_have_text("这台设备已退出")
    await expect(devices).to_have_count(2)
    await looks.at("ended")

    await page.goto("/h5/centre/password")
    await proves_it(demo, here, number)
    await page.get_by_label("输入旧密码").fill(PASSWORD)
    await page.get_by_label("输入新密码").fill("Password-1")
    await page.get_by_label("确定新密码").fill("Password-1")
    await goes_on(here)
    await expect(page.locator("#e-password")).to_contain_text("已经在外泄露过")
    await looks.at("leaked")
    await page.get_by_label("输入旧密码").fill(PASSWORD)
    await page.get_by_label("输入新密码").fill(NEW_PASSWORD)
    await page.get_by_label("确定新密码").fill(NEW_PASSWORD)
    await goes_on(here)
    await expect(page.get_by_role("heading", name="修改成功，请牢记新密码！")).to_be_visible()
    for other in (there, third):
        await other.page.reload()
        await expect(other.page).to_have_url(re.compile("/h5/login"))

    await enters_on_a_phone(demo, there, number)
    await expect(there.page.get_by_role("alert")).to_contain_text("账号或密码不正确")
    await page.goto("/h5/centre/log")
    newest = page.locator("ol.log > li").first
    for words in ("登录失败", "密码登录", "Safari · iOS"):
        await expect(newest).to_contain_text(words)
    await page.goto("/h5/centre")
    await page.get_by_role("link", name="有新的安全提醒，请看一下").tap()
    await page.get_by_role("button", name=re.compile("^不是我 *密码已修改")).tap()
    await expect(page.get_by_role("link", name="找回密码")).to_be_visible()
    await looks.at("denied")
    await page.goto("/h5/centre")
    await expect(page).to_have_url(re.compile("/h5/login"))
    assert looks.found == []


@pytest.mark.req("ACC-7", "ACC-8", "REG-8", "UX-2")
async def test_an_account_ends_on_a_phone_and_its_number_is_free(demo: Demo, handheld: Computer) -> None:
    number, page, looks = "15400085008", handheld.page, Looks(handheld, "centre-h5-end")
    await logs_in_on_a_phone(demo, handheld, "centre_ends", number)
    await page.get_by_role("link", name="账号注销").tap()
    await expect(page.get_by_role("heading", name="申请账号注销")).to_be_visible()
    await page.get_by_role("button", name="仍要注销").tap()
    await asks_for_a_code(demo, handheld)
    await page.get_by_label("手机验证码", exact=True).fill(await code_to(by_page(page, demo), number))
    await looks.at("verify")
    await page.get_by_role("button", name="确认注销账号", exact=True).tap()
    await expect(page.get_by_role("heading", name="账号已注销")).to_be_visible()
    await looks.at("cancelled")
    await enters_on_a_phone(demo, handheld, number)
    await expect(page.get_by_role("alert")).to_contain_text("账号或密码不正确")
    # The same number and name are anybody's now.
    await page.context.clear_cookies()
    await logs_in_on_a_phone(demo, handheld, "centre_ends", number)
    assert looks.found == []
