"""Somebody at the forms of any server: reads the captcha, gets codes, registers, logs in, without a script.

Knows the pages by what is on them, and a server by its address alone. Every number and name is one that nobody has had
yet, also on a deployment that an earlier run has been at.
"""

from __future__ import annotations

import itertools
import time
from typing import Final

from msgspec import Struct

from tests.support.browser import Browser
from tests.support.calls import Answer, Caller
from tests.support.forms import WebForm, form_of, send
from tests.support.inbox import code_to

PC_LOGIN: Final = "/login?tab=account"
H5_LOGIN: Final = "/h5/login"
BY_CODE: Final = "/h5/login?tab=code"
CODE_FORM: Final = "/h5/login/code"
PASSWORD: Final = "Wansui-8"
ANOTHER: Final = "Wansui-9"

_serial = itertools.count(time.time_ns() // 10**7)


class Account(Struct, frozen=True):
    """An account that was registered on a page, and the browser it was registered in."""

    username: str
    phone: str
    browser: Browser


def number() -> str:
    """Return a number of the sandbox's that nobody was sent anything to."""
    return f"154{next(_serial) % 10**8:08d}"


def username() -> str:
    """Return a name that nobody has."""
    return f"u_{next(_serial):x}"


def another(code: str, by: int = 1) -> str:
    """Return six digits that are not the code."""
    return f"{(int(code) + by) % 10**6:06d}"


async def opened(browser: Browser, page: str, action: str | None = None) -> WebForm:
    """Open a page and return its form, with the captcha typed as it shows."""
    answer = await browser.get(page)
    assert answer.status == 200, answer
    return await solved(browser, form_of(answer, action or page.partition("?")[0]))


async def solved(browser: Browser, form: WebForm) -> WebForm:
    """Return a form with the captcha typed as it shows."""
    return form.typed(captcha=await browser.caller.captcha(form.captcha)) if form.captcha else form


async def login_code(browser: Browser, phone: str) -> tuple[WebForm, str]:
    """Have a code for a login sent to a number; return the form it is typed into, and the code."""
    answer = await send(browser, (await opened(browser, BY_CODE, CODE_FORM)).typed(phone=phone, agreed="yes"), "code")
    assert answer.status == 200, answer
    return form_of(answer, CODE_FORM), await code_to(browser.caller.sandbox, phone)


async def by_password(browser: Browser, name: str, password: str, page: str = PC_LOGIN) -> Answer:
    """Log in by a name and a password."""
    form = (await opened(browser, page)).typed(account=name, password=password)
    return await send(browser, form.typed(agreed="yes") if page == H5_LOGIN else form)


async def registering(browser: Browser, phone: str, name: str = "", page: str = "/register") -> WebForm:
    """Come as far as having the code; return the form, filled in whole."""
    typed = {"phone": phone} | ({"username": name} if page == "/register" else {})
    answer = await send(browser, (await opened(browser, page)).typed(**typed), "code")
    assert answer.status == 303, answer
    form = form_of(await browser.get(str(answer.header("Location"))), page)
    again = {"again": PASSWORD} if page == "/register" else {}
    return form.typed(code=await code_to(browser.caller.sandbox, phone), password=PASSWORD, agreed="yes", **again)


async def registered(caller: Caller, browser: Browser | None = None) -> Account:
    """Register an account on the page for computers."""
    at = browser or Browser(caller)
    account = Account(username(), number(), at)
    answer = await send(at, await registering(at, account.phone, account.username))
    assert (answer.status, answer.header("Location")) == (303, "/register/identity"), answer
    return account
