"""验证身份 by QR as people do it, and 不是我: a real demo, a real browser, the code read out of a picture."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import ComputerFactory
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.handset import Handset
from tests.support.town import acquaint


async def logged_in(demo: Demo, computer: Computer, phone: Handset, person: str) -> None:
    """Bring somebody into the personal centre; the phone is left at what came of it."""
    await acquaint(demo, person, "wechat")
    await phone.log_in(person, "wechat")
    await phone.is_home(f"{person[0]}**")
    await computer.open()
    await phone.scans(computer)
    await phone.confirms()
    await computer.is_in(f"{person[0]}**")


@pytest.mark.req("ACC-8")
async def test_the_phone_names_the_operation_and_the_page_moves_on_by_itself(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    await logged_in(demo, computer, phone, "李思远")
    await phone.press("完成")
    await computer.page.goto("/centre/verify/password")
    await computer.shows("waiting")
    await computer.hang("verify-page")
    await phone.scans(computer, "修改密码？")
    await computer.shows("scanned")
    await computer.says("李** 已在微信京通扫码", "请在手机上核对并确认")
    await phone.shows("换掉 李** 的密码", "首都之窗", "只用一次，5 分钟内有效")
    await phone.hang("phone-verify")
    await phone.press("确认修改密码")
    await phone.heading("已确认")
    await expect(computer.page).to_have_url(re.compile("/centre/password$"))

    await computer.page.goto("/centre/verify/mail")
    await computer.shows("waiting")
    await phone.press("完成")
    await phone.scans(computer, "绑定邮箱？")
    await phone.press("不是我，拒绝")
    await phone.heading("已拒绝")
    await computer.shows("rejected")
    await computer.says("手机上拒绝了这次验证", "什么也没有改")


@pytest.mark.req("ACC-8", "UX-4")
async def test_without_javascript_a_button_leads_on(demo: Demo, computer_at: ComputerFactory, phone: Handset) -> None:
    computer = await computer_at(demo, java_script_enabled=False)
    await acquaint(demo, "李思远", "wechat")
    await phone.log_in("李思远", "wechat")
    await computer.page.goto("/login")
    state = computer.page.frame_locator("iframe.plain-state")
    await phone.scans(computer)
    await phone.confirms()
    await computer.page.reload()
    await state.get_by_role("button", name="进入").click()
    await computer.is_in("李**")
    await phone.press("完成")
    await computer.page.goto("/centre/verify/password")
    await phone.scans(computer, "修改密码？")
    await phone.press("确认修改密码")
    await phone.heading("已确认")
    await computer.page.reload()
    await computer.hang("plain-verify")
    await state.get_by_role("button", name="继续").click()
    await expect(computer.page).to_have_url(re.compile("/centre/password$"))


@pytest.mark.req("SES-1")
@pytest.mark.attack("P7", "W6")
async def test_who_did_not_mean_it_logs_the_computer_out_and_an_open_page_says_so_at_once(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    await logged_in(demo, computer, phone, "王建国")
    await computer.page.goto("/centre/verify/password")
    await computer.shows("waiting")
    await phone.press("不是我，立即退出")
    await phone.heading("已让电脑退出")
    await computer.shows("ended")
    await computer.says("这个页面已失效", "已退出登录")
    await computer.page.get_by_role("link", name="重新打开").click()
    await expect(computer.page).to_have_url(re.compile("/login$"))


@pytest.mark.req("SES-1")
async def test_my_devices_show_the_computer_and_log_it_out(demo: Demo, computer: Computer, phone: Handset) -> None:
    await logged_in(demo, computer, phone, "陈雨桐")
    await phone.press("完成")
    await phone.press("我的")
    await phone.press("我的设备")
    await phone.shows("微信京通", "这部手机", "Chrome · Linux", "微信京通扫码登录", "刚刚用过")
    for _ in range(await phone.root.get_by_role("button", name="让Chrome · Linux退出").count()):
        await phone.root.get_by_role("button", name="让Chrome · Linux退出").first.click()
        await phone.shows("Chrome · Linux已退出。")
    await phone.hang("phone-devices")
    await computer.page.goto("/centre")
    await expect(computer.page).to_have_url(re.compile("/login$"))
