"""A kiosk is logged in: by 京通 that scans its code, and on pages by whoever types it (RP-3)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.support.accessibility import violations
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.device import KIOSK, Kiosk, register
from tests.support.handset import Handset
from tests.support.screens import logs_in_on_a_phone
from tests.support.town import acquaint

pytestmark = pytest.mark.req("RP-3")


@pytest.fixture
def kiosk(demo: Demo, tmp_path: Path) -> Kiosk:
    return Kiosk(demo.server, register(tmp_path, demo.data, KIOSK))


async def test_a_phone_compares_confirms_and_takes_back(demo: Demo, kiosk: Kiosk, phone: Handset) -> None:
    await acquaint(demo, "李思远", "baidu")
    await phone.log_in("李思远", "baidu")
    await phone.is_home("李**")
    codes = await kiosk.asks()
    await phone.press("扫一扫")
    await phone.reads(codes["verification_uri_complete"])
    await phone.heading(f"屏幕上的代码是 {codes['user_code']} 吗？")
    await phone.hang("phone-device-compare")
    await phone.press("是，一样")
    await phone.heading("登录政务大厅自助机？")
    await phone.shows("李**", "kiosk.example", "用户名和隐去部分文字的姓名", "最长 30 天")
    await phone.hang("phone-device-confirm")
    await phone.press("确认登录")
    await phone.heading("已确认")
    given = await kiosk.polls(codes)
    assert given["scope"] == "openid profile offline_access"
    await phone.press("不是我，立即退出")
    await phone.heading("已让设备退出")
    again = await kiosk.post("/oauth/introspect", {"token": given["refresh_token"]})
    assert again == {"active": False}


async def test_a_computer_types_the_code_with_its_keyboard(
    demo: Demo, kiosk: Kiosk, computer: Computer, phone: Handset
) -> None:
    await acquaint(demo, "李思远", "baidu")
    await phone.log_in("李思远", "baidu")
    await phone.is_home("李**")
    page = computer.page
    await page.goto("/device")
    await phone.scans(computer)
    await phone.confirms()
    await expect(page).to_have_url(re.compile("/device$"))
    codes = await kiosk.asks()
    field = page.get_by_label("设备上的代码")
    await field.focus()
    await page.keyboard.type("bbbb bbbb")
    await page.keyboard.press("Enter")
    await expect(page.locator("#e-user_code")).to_contain_text("代码不对，或已经过期")
    await expect(field).to_have_value("bbbb bbbb")
    assert await violations(page) == []
    await computer.hang("device-wrong")
    await field.fill(codes["user_code"].lower())
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("登录政务大厅自助机")
    for words in ("kiosk.example", codes["user_code"], "用户名和隐去部分文字的姓名", "最长30天"):
        await expect(page.get_by_role("main")).to_contain_text(words)
    assert await violations(page) == []
    await computer.hang("device-asking")
    await page.get_by_role("button", name="同意并登录").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("设备正在登录")
    assert (await kiosk.polls(codes))["token_type"] == "Bearer"


async def test_a_phones_browser_refuses_a_device(demo: Demo, kiosk: Kiosk, handheld: Computer) -> None:
    page = await logs_in_on_a_phone(demo, handheld, "device_h5", "15400085031")
    await page.goto("/device")
    await expect(page).to_have_url(re.compile("/h5/device$"))
    codes = await kiosk.asks()
    await page.get_by_label("设备上的代码").fill(codes["user_code"])
    await page.get_by_role("button", name="下一步").tap()
    await expect(page.get_by_role("heading", level=1)).to_have_text("登录政务大厅自助机")
    assert await violations(page) == []
    await handheld.hang("device-h5-asking")
    await page.get_by_role("button", name="不同意").tap()
    await expect(page.get_by_role("status")).to_contain_text("设备没有登录")
    assert (await kiosk.polls(codes))["error"] == "access_denied"
