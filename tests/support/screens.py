"""What somebody with an account does at a screen, whatever journey it is part of: logs in, asks for a code, goes on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from playwright.async_api import Page, expect

from tests.support.accounts import member_at
from tests.support.computer import Computer
from tests.support.inbox import by_page, code_to
from tests.support.town import Place

PASSWORD = "Wansui-wansui-7"
NEW_PASSWORD = "Wansui-wansui-8"


class Home(Place, Protocol):
    """A place whose accounts can be made beforehand."""

    @property
    def config(self) -> Path:
        """The server's configuration file."""
        ...


async def enters(place: Place, screen: Computer, name: str, password: str = PASSWORD) -> None:
    """Go through 账号登录 of computers, whichever page it leads to."""
    page = screen.page
    await page.goto("/login?tab=account")
    await page.get_by_label("用户名/手机号/身份证号").fill(name)
    await page.locator("#f-password").fill(password)
    await page.locator("#f-captcha").fill(await screen.captcha(place))
    await page.keyboard.press("Enter")


async def enters_on_a_phone(place: Place, screen: Computer, phone: str, password: str = PASSWORD) -> None:
    """Go through 密码登录 of phones, whichever page it leads to."""
    page = screen.page
    await page.goto("/h5/login")
    await page.locator("#f-account").fill(phone)
    await page.locator("#f-password").fill(password)
    await page.locator("#f-captcha").fill(await screen.captcha(place))
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="授权并登录").click()


async def logs_in(home: Home, screen: Computer, username: str, phone: str) -> Page:
    """Log in at a computer as somebody who registered before."""
    await member_at(home.config, username=username, phone=phone, password=PASSWORD)
    await enters(home, screen, username)
    await expect(screen.page).to_have_url(re.compile("/centre$"))
    return screen.page


async def logs_in_on_a_phone(home: Home, screen: Computer, username: str, phone: str) -> Page:
    """Log in with a phone's own browser as somebody who registered before."""
    await member_at(home.config, username=username, phone=phone, password=PASSWORD)
    await enters_on_a_phone(home, screen, phone)
    await expect(screen.page).to_have_url(re.compile("/h5/centre$"))
    return screen.page


async def asks_for_a_code(place: Place, screen: Computer) -> None:
    """Read the captcha and ask, by the keyboard."""
    await screen.page.locator("#f-captcha").fill(await screen.captcha(place))
    await screen.page.get_by_role("button", name="获取验证码").focus()
    await screen.page.keyboard.press("Enter")


async def gets_a_code(place: Place, screen: Computer, to: str, *, count: int = 1) -> None:
    """Ask for a code, read the newest of ``count`` messages and type it."""
    await asks_for_a_code(place, screen)
    code = await code_to(by_page(screen.page, place), to, count=count)
    await expect(screen.page.locator("#f-captcha")).to_be_hidden()
    await screen.page.locator("#f-code").fill(code)


async def proves_it(place: Place, screen: Computer, number: str) -> None:
    """Go through 验证身份 by a code."""
    await gets_a_code(place, screen, number)
    await goes_on(screen)


async def goes_on(screen: Computer) -> None:
    """Press the form's button."""
    await screen.page.get_by_role("button", name="下一步", exact=True).click()
