"""The phone of a journey: the phone simulator in a browser's tab, and what a person does with it."""

from __future__ import annotations

import asyncio
from typing import Literal

from playwright.async_api import FrameLocator, Locator, Page, expect

from tests.support.computer import PATIENCE, Computer
from tests.support.gallery import Gallery

Outcome = Literal["通过", "不通过", "取消"]

PLATFORMS = {"wechat": "微信", "alipay": "支付宝", "baidu": "百度"}
GLANCES = 5
"""How often somebody with a slow hand aims at the screen again."""


class Handset:
    """One phone. ``root`` is where it is on the screen: a tab of its own, or a frame of the side-by-side page."""

    def __init__(self, page: Page, gallery: Gallery, root: FrameLocator | None = None) -> None:
        """Use ``page``."""
        self.page = page
        self.root: Page | FrameLocator = root or page
        self.faults: list[str] = []
        self._gallery = gallery
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    async def log_in(self, person: str, platform: str) -> None:
        """Choose a platform and a person, and open 京通 as them."""
        if isinstance(self.root, Page):
            await self.page.goto("/phone")
        await self.chooses(person, platform)

    async def comes_back(self, person: str, platform: str) -> None:
        """Leave 京通, and log in once more."""
        await self.root.get_by_label("切换平台或人物").click()
        await self.chooses(person, platform)

    async def chooses(self, person: str, platform: str) -> None:
        """Choose a platform and a person on the screen that asks for them, and open 京通."""
        await self.root.get_by_role("radio", name=PLATFORMS[platform], exact=True).check()
        await self.root.get_by_role("radio", name=person, exact=True).check()
        await self.root.get_by_role("button", name="登录京通").click()

    async def is_home(self, who: str) -> None:
        """Wait for 京通's first page, logged in as ``who``."""
        await expect(self.root.get_by_role("button", name="扫一扫")).to_be_visible()
        await expect(self.root.get_by_label("已登录的账号")).to_contain_text(who)

    async def starts_face_check(self) -> None:
        """Agree to the terms and go on to the camera; name and number stand in the form already."""
        await self.root.get_by_role("checkbox").check()
        await self.root.get_by_role("button", name="开始人脸识别").click()
        await self.heading("人脸识别（模拟）")

    async def face(self, outcome: Outcome) -> None:
        """Let the face check end in one way."""
        await self.root.get_by_role("button", name=outcome, exact=True).click()

    async def registers(self, person: str, platform: str, who: str) -> None:
        """Log in as somebody new to the platform, pass the face check, and arrive at 京通's first page."""
        await self.log_in(person, platform)
        await self.starts_face_check()
        await self.face("通过")
        await self.is_home(who)

    async def scans(self, computer: Computer, question: str = "登录首都之窗？") -> None:
        """Scan what ``computer`` shows, again if the picture was old when it arrived; ends at the confirm screen."""
        asked = self.root.get_by_role("heading", name=question)
        stale = self.root.get_by_role("heading", name="二维码已经更新")
        await self.root.get_by_role("button", name="扫一扫").click()
        for _ in range(GLANCES):
            await self.reads(await computer.photographed())
            await expect(asked.or_(stale)).to_be_visible()
            if await asked.is_visible():
                return
            await self.root.get_by_role("button", name="重新扫码").click()
        raise AssertionError("the phone never read a fresh frame")

    async def scans_beside(self) -> None:
        """Let the scanner, which is open, look at the page beside the phone; ends at the confirm screen."""
        await self._scans("扫旁边的页面", "旁边的页面现在没有显示二维码")

    async def scans_elsewhere(self) -> None:
        """Let the scanner, which is open, look at another window; ends at the confirm screen."""
        await self._scans("扫另一个窗口", "另一个窗口现在没有显示二维码")

    async def _scans(self, look: str, nothing: str) -> None:
        asked = self.root.get_by_role("heading", name="登录首都之窗？")
        dark = self.root.get_by_text(nothing)
        stale = self.root.get_by_role("heading", name="二维码已经更新")
        async with asyncio.timeout(PATIENCE / 1_000):
            while True:
                await self.press(look)
                await expect(asked.or_(dark).or_(stale)).to_be_visible()
                if await asked.is_visible():
                    return
                if await stale.is_visible():
                    await self.press("重新扫码")

    async def reads(self, text: str) -> None:
        """Give the scanner, which is open, the text of a code as if the camera had read it."""
        field = self.root.get_by_label("二维码内容")
        await field.fill(text)
        await self.root.get_by_role("button", name="识别", exact=True).click()

    async def press(self, name: str) -> None:
        """Press a button."""
        await self.root.get_by_role("button", name=name, exact=True).click()

    async def confirms(self) -> None:
        """Confirm the login that is on the screen."""
        await self.press("确认登录")
        await self.heading("已确认")

    async def confirms_with_code(self) -> str:
        """Confirm, and read the two digits that the computer asks for."""
        await self.press("确认登录")
        await self.heading("已确认，还差一步")
        digits = await self.root.locator(".code-digit").all_inner_texts()
        return "".join(digits)

    async def heading(self, words: str) -> None:
        """Wait until the screen's heading says ``words``."""
        await expect(self.root.get_by_role("heading", name=words, exact=True)).to_be_visible()

    async def shows(self, *words: str) -> None:
        """Wait until the screen contains all ``words``."""
        for part in words:
            await expect(self.body).to_contain_text(part)

    @property
    def body(self) -> Locator:
        """The screen below the title."""
        return self.root.get_by_role("main")

    async def hang(self, name: str) -> None:
        """Keep a picture."""
        await self._gallery.hang(name, self.page)
