"""The computer of a journey: a browser's tab on the login page, and what a person sees and does there."""

from __future__ import annotations

import asyncio
import io
import re
from urllib.parse import urlsplit

import zxingcpp
from PIL import Image
from playwright.async_api import Frame, Locator, Page, expect

from tests.support.gallery import Gallery
from tests.support.town import Place

PATIENCE = 30_000
"""Milliseconds until a step that does not come has failed: a slow machine is no fault of the page."""

expect.set_options(timeout=PATIENCE)


class Computer:
    """One tab. Faults of its scripts and refusals of its content policy are collected in ``faults``."""

    def __init__(self, page: Page, gallery: Gallery) -> None:
        """Use ``page``, in which nothing is open yet."""
        self.page = page
        self.faults: list[str] = []
        self.visited: list[str] = []
        self.asked: list[str] = []
        self._gallery = gallery
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self._policy_refused(said.text))
        page.on("request", lambda request: self.asked.append(urlsplit(request.url).path))
        page.on("framenavigated", self._navigated)

    async def open(self) -> None:
        """Open the login page and wait for its code."""
        await self.page.goto("/login")
        await self.shows("waiting")

    async def shows(self, panel: str) -> None:
        """Wait until the card shows one panel, and only that."""
        await expect(self.page.locator(f'[data-panel="{panel}"]')).to_be_visible()
        await expect(self.page.locator("[data-panel]:not([data-off])")).to_have_count(1)

    async def says(self, *words: str) -> None:
        """Wait until the shown panel contains all ``words``."""
        shown = self.page.locator("[data-panel]:not([data-off])")
        for part in words:
            await expect(shown).to_contain_text(part)

    async def announces(self, words: str) -> None:
        """Wait until the card's live region says ``words``."""
        await expect(self.page.locator("[data-live]")).to_contain_text(words)

    async def photographed(self) -> str:
        """Read the text of the one code in a picture of the screen."""
        async with asyncio.timeout(PATIENCE / 1_000):
            while True:
                picture = Image.open(io.BytesIO(await self.page.screenshot()))
                found = zxingcpp.read_barcodes(picture)
                if found:
                    assert len(found) == 1
                    return found[0].text

    async def ticket(self) -> str:
        """Return the public id of the ticket whose code is on the screen."""
        return ticket_of(await self.photographed())

    async def shows_another_than(self, ticket: str) -> str:
        """Wait until the code on the screen is of another ticket, and return that one."""
        async with asyncio.timeout(PATIENCE / 1_000):
            while (shown := await self.ticket()) == ticket:
                pass
            return shown

    async def press(self, name: str) -> None:
        """Press a button of the shown panel."""
        await self.button(name).click()

    def button(self, name: str) -> Locator:
        """Return a button that is on the screen."""
        return self.page.get_by_role("button", name=name, exact=True)

    async def types(self, digits: str) -> None:
        """Type the two digits that the phone shows, and send them."""
        await self.page.get_by_label("第一位数字").press_sequentially(digits)
        await self.page.get_by_role("tabpanel").get_by_role("button", name="登录", exact=True).click()

    async def is_in(self, who: str) -> None:
        """Wait for the personal centre of ``who``."""
        await expect(self.page).to_have_url(re.compile("/centre$"))
        await expect(self.page.get_by_role("heading", name="个人中心")).to_be_visible()
        await expect(self.page.get_by_role("heading", name=who, exact=True)).to_be_visible()

    async def captcha(self, place: Place) -> str:
        """Return what the captcha on the page shows, as the sandbox was told, which may take it a moment."""
        async with asyncio.timeout(PATIENCE / 1_000):
            while True:
                shown = await self.page.locator("img[data-captcha]").get_attribute("data-captcha")
                answer = await self.page.request.get(f"{place.sandbox}/control/captcha?id={shown}")
                if answer.ok:
                    return str((await answer.json())["answer"])

    async def hang(self, name: str) -> None:
        """Keep a picture."""
        await self._gallery.hang(name, self.page)

    def _navigated(self, frame: Frame) -> None:
        if frame is self.page.main_frame:
            self.visited.append(urlsplit(frame.url).path)

    def _policy_refused(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.faults.append(text)


def ticket_of(text: str) -> str:
    """Return the ticket's id out of a frame."""
    return text.rpartition("/")[2].partition(".")[0]
