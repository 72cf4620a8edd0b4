"""Somebody who comes back from a provider, and whose account that is."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from bjidp.platforms import Provider
from tests.support.browser import Browser
from tests.support.calls import Answer
from tests.support.forms import WebForm, form_of, forms, links, send
from tests.support.inbox import code_to, messages
from tests.support.members import PHONE
from tests.support.owner import Owner
from tests.support.program import Program
from tests.support.providers import agreed, come_back

LINK: Final = "/login/third/link"
OTHER_PHONE: Final = "15400009999"
PROVIDERS: Final = list(Provider)


def where(answer: Answer) -> tuple[int, str]:
    return answer.status, (answer.header("Location") or "").partition("?")[0]


def solved(program: Program, form: WebForm) -> WebForm:
    return form.typed(captcha=program.captchas[form.captcha])


async def newcomer(browser: Browser, provider: Provider, user: str = "chen-yutong") -> Answer:
    """Come back as somebody whom no account knows; return the page that asks which account is theirs."""
    answer = await come_back(browser, provider, user)
    assert where(answer) == (303, LINK), answer
    shown = await browser.get(str(answer.header("Location")))
    assert shown.status == 200, shown
    return shown


async def asked(program: Program, browser: Browser, shown: Answer, phone: str = PHONE) -> WebForm:
    """Have a code sent to a number; return the form it is typed into."""
    form = bind_form(shown)
    sent = await send(browser, solved(program, form).typed(phone=phone), "code")
    assert sent.status == 200, sent
    return bind_form(sent)


def bind_form(shown: Answer) -> WebForm:
    return next(form for form in forms(shown) if "phone" in form.fields)


def register_form(shown: Answer) -> WebForm:
    return next(form for form in forms(shown) if "register" in form.acts)


async def bound(program: Program, provider: Provider, phone: str = PHONE, user: str = "chen-yutong") -> Browser:
    """Bind a provider's user to the account of a number; return the browser, which is logged in."""
    browser = await program.browser()
    form = await asked(program, browser, await newcomer(browser, provider, user), phone)
    count = len(await messages(browser.caller.sandbox, phone))
    code = await code_to(browser.caller.sandbox, phone, count=count)
    answer = await send(browser, form.typed(code=code))
    assert where(answer) == (303, "/centre"), answer
    return browser


async def sessions(program: Program, account: str) -> list[Any]:
    return await program.rooms.stores.sessions.of_account(account, program.clock.now())


async def linked(program: Program, account: str) -> list[Provider]:
    return [one.provider for one in await program.rooms.stores.externals.linked(account)]


async def chosen(owner: Owner, act: str, provider: Provider) -> str:
    """Press 绑定 or 解绑 beside a provider; return what the address of the setting says of it."""
    shown = await owner.get("/centre/third")
    form = next(form for form in forms(shown) if form.values.get("provider") == provider and act in form.acts)
    answer = await send(owner.browser, form, act)
    assert where(answer) == (303, f"{owner.prefix}/centre/{act}"), answer
    return f"?{urlsplit(answer.header('Location') or '').query}"


async def ready(owner: Owner, provider: Provider) -> Answer:
    """Choose a provider to bind and go through 验证身份; return the page that leads there."""
    page = await owner.proves("link", await chosen(owner, "link", provider))
    assert page.status == 200, page
    return page


async def leaves(owner: Owner, page: Answer) -> str:
    """Follow the link of that page; return where at the provider it leads."""
    [link] = [found for found in links(page) if "/link/leave" in found]
    answer = owner.browser.keep(await owner.browser.get(link))
    assert answer.status == 303, answer
    return str(answer.header("Location"))


async def binding(owner: Owner, provider: Provider, user: str = "chen-yutong", answer: str = "agree") -> str:
    """Go all the way to the provider; return the path and query that the browser is about to come back to."""
    back = await agreed(owner.browser, await leaves(owner, await ready(owner, provider)), user, answer)
    assert back is not None
    return back


async def unbinds(owner: Owner, provider: Provider) -> Answer:
    """Unbind a provider's user; return the page at the end."""
    page = await owner.proves("unlink", await chosen(owner, "unlink", provider))
    form = form_of(page, f"{owner.prefix}/centre/unlink")
    return await owner.follow(await send(owner.browser, form))
