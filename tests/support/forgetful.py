"""Somebody who has forgotten a password, in a browser without a script.

Drives the pages of recovery by what is on them alone, in plain HTTP, at any server by its address.
"""

from __future__ import annotations

from typing import Final

from tests.support.browser import Browser
from tests.support.calls import Answer
from tests.support.forms import WebForm, forms, heading, links, send
from tests.support.inbox import code_to

NUMBER: Final = "15400000001"


class Forgetful:
    """Somebody at the pages of recovery."""

    def __init__(self, browser: Browser, start: str = "/recover") -> None:
        """Use :meth:`comes`."""
        self.browser = browser
        self.start = start
        self.page = ""
        self.flow = ""
        """The recovery, once there is one."""

    @classmethod
    async def comes(cls, browser: Browser, start: str = "/recover") -> Forgetful:
        """Open the first page."""
        somebody = cls(browser, start)
        await somebody.open(start)
        return somebody

    @property
    def form(self) -> WebForm:
        """The form on the page as it is now."""
        return form_on(self._answer)

    @property
    def links(self) -> set[str]:
        """Where the page leads."""
        return links(self._answer)

    @property
    def heading(self) -> str:
        """The page's heading."""
        return heading(self._answer)

    @property
    def _answer(self) -> Answer:
        return Answer(200, (), self.page.encode())

    async def open(self, path: str) -> Answer:
        """Open a page and keep it, if it is one; follow where it leads."""
        answer = await self.browser.get(path)
        self._look(answer)
        where = answer.header("Location")
        return await self.open(where) if answer.status == 303 and where else answer

    async def send(self, act: str = "", **typed: str) -> Answer:
        """Press a button of the form as it is now, with fields filled in; follow where that leads."""
        answer = await send(self.browser, self.form.typed(**typed), act)
        self._look(answer)
        where = answer.header("Location")
        if answer.status == 303 and where:
            await self.open(where)
        return answer

    async def captcha(self) -> str:
        """Read the picture."""
        told = await self.browser.caller.sandbox(f"/control/captcha?id={self.form.captcha}")
        return str(told["answer"])

    async def names(self, name: str) -> Answer:
        """Fill in the first form."""
        field = "phone" if self.start.startswith("/h5") else "account"
        return await self.send(**{field: name, "captcha": await self.captcha()})

    async def comes_to_the_code(self, name: str) -> None:
        """Come as far as the page that asks the code."""
        await self.names(name)
        if self.start == "/recover":
            await self.open(f"/recover/code?flow={self.flow}")

    async def asks(self, **typed: str) -> Answer:
        """Ask for a code, by a captcha that is shown then at the latest."""
        if not self.form.captcha:
            await self.send("code", **typed)
        return await self.send("code", **({"captcha": await self.captcha()} | typed))

    async def reads(self, number: str = NUMBER, sent: int = 1) -> str:
        """Return the newest code that was sent to a number, once there are ``sent``."""
        return await code_to(self.browser.caller.sandbox, number, count=sent)

    async def proves(self, name: str = NUMBER, **typed: str) -> Answer:
        """Come as far as the new password."""
        await self.comes_to_the_code(name)
        await self.asks(**typed)
        return await self.send(code=await self.reads(), **typed)

    def _look(self, answer: Answer) -> None:
        _, _, flow = (answer.header("Location") or "").partition("?flow=")
        self.flow = flow or self.flow
        if (answer.header("Content-Type") or "").startswith("text/html"):
            self.page = answer.text


def form_on(answer: Answer) -> WebForm:
    """Return the one form of a page that is posted."""
    (form,) = forms(answer)
    return form
