"""Somebody who is logged in, in a browser without a script, at the pages of their account."""

from __future__ import annotations

from bjidp.clock import HOUR
from bjidp.entropy import SystemEntropy
from bjidp.sessions.ports import Login, Way
from bjidp.sessions.service import Sessions
from tests.support.browser import SESSION, Browser
from tests.support.calls import Answer
from tests.support.forms import WebForm, form_of, send
from tests.support.inbox import code_to
from tests.support.members import PHONE
from tests.support.program import Program

BY_PASSWORD = Login(Way.PASSWORD, None, None, "Chrome", "Windows", None, b"network", None)


class Owner:
    """One browser of an account's owner; ``prefix`` is ``/h5`` on a phone."""

    def __init__(self, program: Program, browser: Browser, prefix: str = "", phone: str = PHONE) -> None:
        """Use ``browser``, which is logged in already to the account of ``phone``."""
        self.program = program
        self.browser = browser
        self.prefix = prefix
        self.phone = phone
        self.code: str | None = None

    @classmethod
    async def of(
        cls, program: Program, account: str, prefix: str = "", login: Login = BY_PASSWORD, *, phone: str = PHONE
    ) -> Owner:
        """Log in to an account, without the pages that lead there."""
        browser = await program.browser()
        sessions = Sessions(program.rooms.stores.sessions, program.clock, SystemEntropy(), 12 * HOUR)
        browser.cookies[browser.to.cookie(SESSION)] = await sessions.start(account, login, None)
        return cls(program, browser, prefix, phone)

    async def get(self, path: str) -> Answer:
        """Open a page."""
        return self.browser.keep(await self.browser.get(self.prefix + path))

    async def form(self, path: str, action: str | None = None) -> WebForm:
        """Open a page and read its form, with the captcha read well if there is one."""
        answer = await self.get(path)
        assert answer.status == 200, answer
        return self.solved(form_of(answer, self.prefix + (action or path.partition("?")[0])))

    def solved(self, form: WebForm) -> WebForm:
        """Return the form with its captcha read well, if it has one."""
        captcha = form.values.get("captcha_id")
        return form if not captcha else form.typed(captcha=self.program.captchas[captcha])

    async def follow(self, answer: Answer) -> Answer:
        """Go where an answer leads."""
        assert answer.status == 303, answer
        return self.browser.keep(await self.browser.get(answer.header("Location") or ""))

    async def asks(self, setting: str, flow: str = "") -> WebForm:
        """Have the code of 验证身份 sent; return the form of that step as it is then."""
        path = f"/centre/{setting}"
        form = await self.form(path + flow, f"{path}/identity")
        page = await self.follow(await send(self.browser, form, "code"))
        assert page.status == 200, page
        self.code = await code_to(self.browser.caller.sandbox, self.phone, but=self.code)
        return form_of(page, f"{self.prefix}{path}/identity")

    async def proves(self, setting: str, flow: str = "") -> Answer:
        """Go through 验证身份 by SMS; return the page of the next step."""
        form = await self.asks(setting, flow)
        return await self.follow(await send(self.browser, form.typed(code=self.code or "")))

    async def may(self, setting: str) -> WebForm:
        """Go through 验证身份 by SMS; return the form of the setting."""
        page = await self.proves(setting)
        assert page.status == 200, page
        return self.solved(form_of(page, f"{self.prefix}/centre/{setting}"))

    async def code_to(self, number: str) -> str:
        """Return the code of the newest message to another number."""
        return await code_to(self.browser.caller.sandbox, number)
