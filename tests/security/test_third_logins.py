"""Logins by what somebody has elsewhere: foreign ways back, codes on them, other names (attacks T5, T8, T9)."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import pytest
from msgspec import Struct

from bjidp.platforms import Provider
from tests.support.browser import SESSION, Browser
from tests.support.calls import Answer, Caller
from tests.support.forms import form_of, forms, send
from tests.support.inbox import code_to
from tests.support.providers import altered, come_back, returning
from tests.support.visitors import PASSWORD, number, solved, username

LINK: Final = "/login/third/link"


class Known(Struct, frozen=True):
    """Somebody who is known here by their name at a provider, which nobody had before."""

    provider: Provider
    user: str


async def known(caller: Caller, provider: Provider = Provider.WECHAT) -> Known:
    """Register somebody who comes from a provider."""
    browser, phone = Browser(caller), number()
    user = f"user-{phone}"
    led = await come_back(browser, provider, user)
    page = await browser.get(str(led.header("Location")))
    led = await send(browser, next(form for form in forms(page) if "register" in form.acts), "register")
    form = await solved(browser, form_of(await browser.get(str(led.header("Location"))), "/register"))
    led = await send(browser, form.typed(username=username(), phone=phone), "code")
    form = form_of(await browser.get(str(led.header("Location"))), "/register")
    code = await code_to(caller.sandbox, phone)
    done = await send(browser, form.typed(code=code, password=PASSWORD, again=PASSWORD, agreed="yes"))
    assert where(done) == (303, "/register/identity"), done
    return Known(provider, user)


def where(answer: Answer) -> tuple[int, str]:
    return answer.status, (answer.header("Location") or "").partition("?")[0]


def is_in(browser: Browser) -> bool:
    return browser.session is not None


@pytest.mark.attack("T8")
async def test_a_way_back_logs_nobody_in_but_in_the_browser_that_began_it(caller: Caller) -> None:
    """Login CSRF: the attacker's own code and state, good as they are, in front of somebody else."""
    attacker = await known(caller)
    own, victim, busy = Browser(caller), Browser(caller), Browser(caller)
    back = await returning(own, attacker.provider, attacker.user)
    await busy.get("/login/third/wechat")
    for other in (victim, busy):
        assert (await other.get(back)).status == 410
        assert not is_in(other)
    assert where(await own.get(back)) == (303, "/centre"), "it was good all the time"


@pytest.mark.attack("T8")
async def test_a_code_that_is_put_on_another_way_logs_nobody_in(caller: Caller) -> None:
    """Code injection: a stolen code on a way that was taken, on one of another provider, and on none."""
    victim, thief = await known(caller), await known(caller)
    stolen = dict(parse_qsl(urlsplit(await returning(Browser(caller), victim.provider, victim.user)).query))["code"]
    browser = Browser(caller)
    back = await returning(browser, thief.provider, thief.user)
    for wrong in (
        altered(back, code=stolen, state=None),
        altered(back, code=stolen, state="0" * 32),
        altered(back.replace("/wechat/", "/baidu/"), code=stolen),
    ):
        assert (await browser.get(wrong)).status == 410
    assert where(await browser.get(back)) == (303, "/centre")
    browser.cookies.pop(browser.to.cookie(SESSION))
    assert (await browser.get(altered(back, code=stolen))).status == 410
    assert not is_in(browser)


@pytest.mark.attack("T5", "T8")
async def test_a_way_back_in_the_history_logs_nobody_in_after_a_log_out(caller: Caller) -> None:
    somebody = await known(caller)
    browser = Browser(caller)
    back = await returning(browser, somebody.provider, somebody.user)
    assert where(await browser.get(back)) == (303, "/centre")
    assert where(await browser.get(back)) == (303, "/centre"), "loaded again, it leads to the same place"
    await send(browser, form_of(await browser.get("/login"), "/logout"))
    assert (await browser.get(back)).status == 410
    assert not is_in(browser)


@pytest.mark.attack("T5")
async def test_a_way_back_that_is_loaded_ten_times_at_once_leaves_one_session(caller: Caller) -> None:
    somebody = await known(caller)
    browser = Browser(caller)
    back = await returning(browser, somebody.provider, somebody.user)
    tabs = [browser.copy() for _ in range(10)]
    answers = await asyncio.gather(*(tab.get(back) for tab in tabs))
    assert {where(answer) for answer in answers} == {(303, "/centre")}
    live = [tab for tab in tabs if (await tab.get("/centre")).status == 200]
    assert len(live) == 1


@pytest.mark.attack("T9")
async def test_a_name_counts_at_its_own_provider_alone(caller: Caller) -> None:
    somebody = await known(caller, Provider.ALIPAY)
    for provider in set(Provider) - {Provider.ALIPAY}:
        browser = Browser(caller)
        assert where(await come_back(browser, provider, somebody.user)) == (303, LINK)
        assert not is_in(browser)
    assert where(await come_back(Browser(caller), Provider.ALIPAY, somebody.user)) == (303, "/centre")


@pytest.mark.attack("T9", "O10")
async def test_what_was_found_at_a_provider_is_bound_in_that_browser_by_that_code_alone(caller: Caller) -> None:
    finder, thief, phone = Browser(caller), Browser(caller), number()
    page = await finder.get(str((await come_back(finder, Provider.BAIDU, f"user-{phone}")).header("Location")))
    form = next(form for form in forms(page) if "phone" in form.fields)
    sent = await send(finder, (await solved(finder, form)).typed(phone=phone), "code")
    form = next(form for form in forms(sent) if "phone" in form.fields)
    code = await code_to(caller.sandbox, phone)
    theirs = await thief.get(str((await come_back(thief, Provider.BAIDU, f"thief-{phone}")).header("Location")))
    own = next(one for one in forms(theirs) if "phone" in one.fields)
    # The finder's name with the thief's form, and the finder's code on the thief's name.
    assert where(await send(thief, own.typed(of=form.values["of"], phone=phone, code=code))) == (303, "/login")
    refused = await send(thief, own.typed(phone=phone, code=code))
    assert "code" in next(one for one in forms(refused) if "phone" in one.fields).faults
    assert not is_in(thief)
