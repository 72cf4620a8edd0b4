"""The demo's kiosk: a moving code on its screen, a greeting, and the end of it (RP-3)."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import ComputerFactory
from tests.support.accessibility import violations
from tests.support.computer import PATIENCE, Computer
from tests.support.demo import Demo
from tests.support.handset import Handset
from tests.support.town import acquaint

pytestmark = pytest.mark.req("RP-3")

ASKED = "屏幕上的代码是"


async def test_somebody_logs_in_at_a_kiosk_and_it_is_the_next_ones_after_them(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    await acquaint(demo, "李思远", "alipay")
    await phone.log_in("李思远", "alipay")
    await phone.is_home("李**")
    page = computer.page
    await page.goto(f"{demo.portal}/kiosk")
    first = await computer.photographed()
    assert await violations(page) == []
    await computer.hang("kiosk-waiting")
    async with asyncio.timeout(PATIENCE / 1_000):
        while await computer.photographed() == first:
            """The code moves."""
    code = await page.locator("#code").inner_text()
    await phone.scans(computer, ASKED)
    await phone.heading(f"{ASKED} {code} 吗？")
    await phone.press("是，一样")
    await phone.heading("登录政务服务自助终端？")
    await phone.press("确认登录")
    await phone.heading("已确认")
    await expect(page.get_by_role("heading", name="您好，李**")).to_be_visible()
    await expect(page.get_by_text("实名等级：中级认证")).to_be_visible()
    assert await violations(page) == []
    await computer.hang("kiosk-welcome")
    await page.get_by_role("button", name="退出").click()
    await expect(page.locator("#picture")).to_be_visible()
    await expect(page.locator("#code")).not_to_have_text(code)

    await phone.press("完成")
    await phone.scans(computer, ASKED)
    await phone.press("不一样，拒绝")
    await expect(page.get_by_role("heading", name="手机上拒绝了这次登录")).to_be_visible()
    await page.get_by_role("button", name="重新开始").click()
    await expect(page.locator("#picture")).to_be_visible()


async def test_a_kiosk_that_nobody_touches_logs_out_by_itself(demo: Demo, computer: Computer, phone: Handset) -> None:
    await acquaint(demo, "李思远", "alipay")
    await phone.log_in("李思远", "alipay")
    await phone.is_home("李**")
    page = computer.page
    await page.clock.install()
    await page.goto(f"{demo.portal}/kiosk")
    await phone.press("扫一扫")
    await expect(page.locator("#code")).not_to_be_empty()
    await phone.reads(str(await page.locator("#picture").get_attribute("data-text")))
    await phone.press("是，一样")
    await phone.press("确认登录")
    await phone.heading("已确认")
    hello = page.get_by_role("heading", name="您好，李**")
    while not await hello.is_visible():
        await page.clock.run_for(1_000)
    await page.clock.run_for(29_000)
    await expect(hello).to_be_visible()
    await page.clock.run_for(2_000)
    await expect(page.locator("#picture")).to_be_visible()


@pytest.mark.req("UX-4")
async def test_a_kiosk_without_javascript_logs_somebody_in_too(
    demo: Demo, computer_at: ComputerFactory, phone: Handset
) -> None:
    await acquaint(demo, "李思远", "alipay")
    await phone.log_in("李思远", "alipay")
    await phone.is_home("李**")
    computer = await computer_at(demo, java_script_enabled=False)
    page = computer.page
    await page.goto(f"{demo.portal}/kiosk")
    await expect(page).to_have_url(re.compile("/kiosk/plain$"))
    code = await page.locator("#code").inner_text()
    await computer.hang("kiosk-plain-waiting")
    await phone.scans(computer, ASKED)
    await phone.heading(f"{ASKED} {code} 吗？")
    await phone.press("是，一样")
    await phone.press("确认登录")
    await phone.heading("已确认")
    within = page.frame_locator("iframe")
    await expect(within.get_by_role("heading", name="手机上已确认")).to_be_visible()
    await computer.hang("kiosk-plain-confirmed")
    await within.get_by_role("button", name="继续").click()
    await expect(page.get_by_role("heading", name="您好，李**")).to_be_visible()
    await computer.hang("kiosk-plain-welcome")
    await page.get_by_role("button", name="退出").click()
    await expect(page.locator("#code")).not_to_have_text(code)
