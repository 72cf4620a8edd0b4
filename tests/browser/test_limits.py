"""Whoever asks for too many codes is told so in words, on a computer and on a phone (FAQ-1).

The program is in the test's own process: an hour of its clock passes at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from bjidp.clock import MINUTE, SECOND
from tests.browser.conftest import ComputerFactory
from tests.support.chromium import beside_browsers
from tests.support.computer import Computer
from tests.support.inbox import by_page, messages
from tests.support.looks import Looks
from tests.support.program import Program, Town, running
from tests.support.screens import asks_for_a_code

PHONE, STRANGERS = "15400089001", 3
"""A number, and how many codes people who are not its owner may have sent there in an hour."""


@beside_browsers
async def program(town: Town, request: pytest.FixtureRequest) -> AsyncIterator[Program]:
    """The program."""
    async with running(town, request.node.name) as program:
        yield program


async def asks_too_often(program: Program, screen: Computer, path: str) -> None:
    """Ask for one code a minute until there are no more."""
    page, place = screen.page, program.deployments[0]
    for _ in range(STRANGERS):
        await page.goto(path)
        await page.get_by_label("手机号", exact=True).fill(PHONE)
        await asks_for_a_code(place, screen)
        await expect(page.locator("#f-captcha")).to_be_hidden()
        program.clock.advance(MINUTE // SECOND)
    await page.goto(path)
    await page.get_by_label("手机号", exact=True).fill(PHONE)
    await asks_for_a_code(place, screen)
    await expect(page.get_by_role("alert")).to_contain_text("验证码请求过于频繁，请在1小时后再试")
    await expect(page.get_by_label("手机号", exact=True)).to_have_value(PHONE)
    assert len(await messages(by_page(page, place), PHONE)) == STRANGERS


@pytest.mark.req("FAQ-1", "UX-5")
async def test_who_asks_too_often_at_a_computer_is_told_when_to_try_again(
    program: Program, computer_at: ComputerFactory
) -> None:
    computer = await computer_at(program.deployments[0])
    looks = Looks(computer, "limit-pc")
    await asks_too_often(program, computer, "/register")
    await looks.at("hourly")
    assert looks.found == []


@pytest.mark.req("FAQ-1", "UX-5")
async def test_who_asks_too_often_on_a_phone_is_told_when_to_try_again(
    program: Program, handheld_at: ComputerFactory
) -> None:
    handheld = await handheld_at(program.deployments[0])
    looks = Looks(handheld, "limit-h5")
    await asks_too_often(program, handheld, "/h5/login?tab=code")
    await looks.at("hourly")
    assert looks.found == []
