"""Somebody who registers on a page, as a journey needs them: reads the captcha, gets the code, fills in the form."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.support.computer import Computer
from tests.support.inbox import by_page, code_to
from tests.support.town import Place

PASSWORD = "Wansui-8"


class Registrant:
    """One person at one screen; ``path`` is ``/register`` or ``/h5/register``."""

    def __init__(self, computer: Computer, place: Place, path: str = "/register") -> None:
        """Sit down."""
        self.computer = computer
        self.place = place
        self.path = path

    @property
    def page(self) -> Page:
        """The tab."""
        return self.computer.page

    async def open(self) -> None:
        """Open the form."""
        await self.page.goto(self.path)
        await expect(self.page.get_by_role("heading", name="注册账号", exact=True)).to_be_visible()

    async def names(self, phone: str, username: str | None = None) -> None:
        """Type number and, on a computer, username."""
        if username is not None:
            await self.page.get_by_label("用户名").fill(username)
        await self.page.get_by_label("手机号", exact=True).fill(phone)

    async def asks_for_a_code(self) -> None:
        """Read the captcha and ask; by the keyboard, as it is with a screen reader."""
        await self.page.get_by_label("图形验证码", exact=True).fill(await self.computer.captcha(self.place))
        button = self.page.get_by_role("button", name="获取验证码")
        await button.focus()
        await self.page.keyboard.press("Enter")

    async def code(self, phone: str) -> str:
        """Return the code in the newest message to the number."""
        return await code_to(by_page(self.page, self.place), phone)

    async def completes(self, code: str) -> None:
        """Type the code and the password, and agree."""
        await self.page.get_by_label("短信验证码", exact=True).fill(code)
        await self.page.get_by_label("密码", exact=True).fill(PASSWORD)
        if self.path == "/register":
            await self.page.get_by_label("再次输入密码").fill(PASSWORD)
        await self.page.get_by_role("checkbox", name="同意").check()

    async def sends(self) -> None:
        """Press the form's button."""
        name = "注册" if self.path == "/register" else "下一步"
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def skips(self) -> None:
        """Go on without 实名认证."""
        await expect(self.page.get_by_role("heading", name="实名认证", exact=True)).to_be_visible()
        name = "暂不认证" if self.path == "/register" else "跳过，不进行认证"
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def is_done(self) -> None:
        """Wait for the end."""
        await expect(self.page.get_by_role("heading", name="注册成功")).to_be_visible()
