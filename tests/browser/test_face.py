"""人脸识别认证 as people do it: a page on a computer, 京通 on a phone, the code read out of a picture (RNV-3)."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from bjidp.sandbox.people import Person
from tests.support.accessibility import violations
from tests.support.cast import Place, people, played, staged
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.handset import Handset
from tests.support.town import acquaint

pytestmark = pytest.mark.req("RNV-3")

QUESTION = "用人脸办理认证？"


async def logs_in(demo: Demo, computer: Computer, phone: Handset, person: str, platform: str) -> None:
    """Bring somebody into the personal centre, with their phone at its first page."""
    await acquaint(demo, person, platform)
    await phone.log_in(person, platform)
    await phone.is_home(f"{person[0]}**")
    await computer.open()
    await phone.scans(computer)
    await phone.confirms()
    await computer.is_in(f"{person[0]}**")
    await phone.press("完成")


async def is_verified(computer: Computer, phone: Handset, operation: str, question: str) -> None:
    """Prove on the phone that it is oneself, at a page for one operation."""
    await computer.page.goto(f"/centre/verify/{operation}")
    await computer.shows("waiting")
    await phone.scans(computer, f"{question}？")
    await phone.press(f"确认{question}")
    await phone.heading("已确认")
    await expect(computer.page).to_have_url(re.compile(f"/centre/{operation}"))
    await phone.press("完成")


async def shows_a_face(phone: Handset) -> None:
    """Go on from what was scanned to the camera, and pass."""
    await phone.press("开始人脸识别")
    await phone.heading("人脸识别（模拟）")
    await phone.face("通过")
    await phone.heading(QUESTION)
    await phone.shows("人脸已识别，请确认。")


@played(Place.WECHAT, by=people("zhou-mingxuan"))
async def test_a_page_leads_through_a_face_on_the_phone_and_moves_on_by_itself(
    demo: Demo, computer: Computer, phone: Handset, place: Place, who: Person
) -> None:
    page = computer.page
    await logs_in(demo, computer, phone, who.name, place)
    await page.goto("/centre/face")
    await expect(page.get_by_role("heading", name="人脸识别认证")).to_be_visible()
    await page.get_by_role("link", name="用京通扫码验证").click()
    await computer.shows("waiting")
    await phone.scans(computer, "人脸识别认证？")
    await phone.press("确认人脸识别认证")
    await phone.heading("已确认")
    await phone.press("完成")

    await expect(page).to_have_url(re.compile(r"/centre/face\?flow="))
    await computer.shows("waiting")
    await computer.hang("face-page")
    found = [f"page: {line}" for line in await violations(page)]
    await page.set_viewport_size({"width": 320, "height": 1200})
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await computer.hang("face-page-narrow")
    await page.set_viewport_size({"width": 1280, "height": 1000})
    await computer.hang("face-page-whole")
    await phone.scans(computer, QUESTION)
    await computer.shows("scanned")
    await computer.says("周** 已在微信京通扫码", "请在手机上完成人脸识别")
    await phone.shows("首都之窗", "这个账号达到中级认证", "只用一次，3 分钟内完成")
    await phone.hang("phone-face-ticket")
    found += [f"phone: {line}" for line in await violations(phone.page)]
    await phone.press("开始人脸识别")
    await phone.heading("人脸识别（模拟）")
    await phone.face("不通过")
    await phone.heading(QUESTION)
    await phone.shows("人脸识别没有通过")
    await shows_a_face(phone)
    await phone.hang("phone-face-shown")
    await phone.press("确认认证")
    await phone.heading("已确认")
    await expect(page.get_by_role("heading", name="人脸识别认证成功")).to_be_visible()
    await computer.hang("face-done")
    assert found == []


@staged({Place.ALIPAY: people("xu-wanqing"), Place.BAIDU: people("pan-haoran")})
async def test_a_face_is_shown_on_the_other_platforms_too(
    demo: Demo, computer: Computer, phone: Handset, place: Place, who: Person
) -> None:
    await logs_in(demo, computer, phone, who.name, place)
    await is_verified(computer, phone, "face", "人脸识别认证")
    await computer.shows("waiting")
    await phone.scans(computer, QUESTION)
    await phone.press("开始人脸识别")
    await phone.heading("人脸识别（模拟）")
    await phone.face("取消")
    await phone.shows("人脸识别已取消")
    await shows_a_face(phone)
    await phone.press("确认认证")
    await phone.heading("已确认")
    await expect(computer.page.get_by_role("heading", name="人脸识别认证成功")).to_be_visible()
    await phone.press("不是我，立即退出")
    await phone.heading("已让电脑退出")
    await computer.page.goto("/centre")
    await expect(computer.page).to_have_url(re.compile("/login"))
