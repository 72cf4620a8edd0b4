"""帮助中心 in Chromium: where people get stuck it is a link away, on a computer and on a phone (FAQ-2)."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, ComputerFactory
from tests.support.accessibility import violations
from tests.support.computer import Computer
from tests.support.demo import Demo

SEVEN = 7
"""The manual's questions, 2.1 to 2.7."""


async def reads_every_answer(page: Page, base: str) -> None:
    """Open each question of the centre and come back."""
    await expect(page.get_by_role("heading", level=1)).to_have_text("帮助中心")
    questions = page.locator(f"main a[href^='{base}/help/']")
    addresses = [await questions.nth(place).get_attribute("href") for place in range(await questions.count())]
    assert len({address for address in addresses if address}) >= SEVEN
    for address in addresses:
        await page.goto(address or "")
        await expect(page.get_by_role("heading", level=1)).not_to_be_empty()
        await expect(page.locator("main p").first).to_be_visible()
        await page.go_back()


@pytest.mark.req("FAQ-2", "UX-4")
async def test_who_gets_no_message_at_a_computer_is_a_link_away_from_the_answers(
    demo: Demo, computer_at: ComputerFactory
) -> None:
    page = (await computer_at(demo)).page
    await page.goto("/recover")
    await page.get_by_role("link", name="帮助中心").first.click()
    await reads_every_answer(page, "")
    assert await violations(page) == []


@pytest.mark.req("FAQ-2", "UX-4")
async def test_who_gets_no_message_on_a_phone_is_a_link_away_from_the_answers(
    handheld: Computer,
) -> None:
    page = handheld.page
    await page.goto("/h5/login?tab=code")
    await page.get_by_role("link", name=re.compile("短信|帮助")).first.click()
    await expect(page).to_have_url(re.compile("/h5/help"))
    await page.goto("/h5/help")
    await reads_every_answer(page, "/h5")
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
