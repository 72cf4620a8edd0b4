"""Several processes on one Redis and one PostgreSQL: what is counted, is counted once for all of them (O4, O5)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import chain, cycle
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.security.conftest import Own
from tests.security.test_codes import outcome
from tests.support.browser import Browser
from tests.support.calls import Answer, Caller, Deployment, at_once, request
from tests.support.forms import FORM, WebForm, form_of, send
from tests.support.house import is_ready, open_house, serve
from tests.support.inbox import code_to, messages
from tests.support.visitors import (
    ANOTHER,
    BY_CODE,
    CODE_FORM,
    H5_LOGIN,
    PASSWORD,
    another,
    by_password,
    login_code,
    number,
    opened,
    registered,
)


def through(caller: Caller, browser: Browser) -> Browser:
    """Return the same browser, whose requests another process answers."""
    same = Browser(caller)
    same.cookies = dict(browser.cookies)
    return same


async def together(posts: Sequence[tuple[Browser, WebForm]], act: str = "") -> list[Answer]:
    """Send forms that end in the same instant, each to the process that its browser speaks to."""
    ends: dict[str, list[tuple[Browser, WebForm]]] = {}
    for browser, form in posts:
        ends.setdefault(browser.to.at, []).append((browser, form))
    answered = (
        at_once(own[0][0].to, [as_request(browser, form, act) for browser, form in own]) for own in ends.values()
    )
    return list(chain.from_iterable(await asyncio.gather(*answered)))


def as_request(browser: Browser, form: WebForm, act: str) -> bytes:
    """Return a form as a browser posts it."""
    headers = browser.headers(browser.to.url, Accept="text/html") | {"Content-Type": FORM}
    body = urlencode(form.values | {"act": act}).encode()
    return request(browser.to, "POST", form.action, headers=headers, body=body)


@pytest.mark.attack("O4", "O5", "O9", "O11")
@pytest.mark.req("OPS-3", "OPS-4")
async def test_two_processes_share_every_try_and_a_new_one_gives_none_back(
    home: Own, tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """Codes, captchas, passwords and messages are counted in the shared store; a restart forgets nothing."""
    storage = {"database_url": postgres_url, "redis_url": redis_url}
    async with (
        open_house(home.demo, tmp_path, servers=2, settings={"storage": storage}) as house,
        AsyncExitStack() as stack,
    ):
        ends = [Deployment(house.server, house.sandbox, at) for at in house.addresses]
        first, second = callers = [await stack.enter_async_context(Caller(end)) for end in ends]
        # What one process has shown and sent, another one takes.
        browser, phone = Browser(first), number()
        form = (await opened(browser, BY_CODE, CODE_FORM)).typed(phone=phone, agreed="yes")
        assert (await send(through(second, browser), form, "code")).status == 200
        assert outcome(await send(browser, form.typed(code=await code_to(first.sandbox, phone)))) == "right"

        phone = number()
        form, code = await login_code(browser, phone)

        guesses = [form.typed(code=another(code, turn)) for turn in range(1, 41)]
        halves = [through(caller, browser) for caller in callers]
        told = Counter(outcome(answer) for answer in await together(list(zip(cycle(halves), guesses, strict=False))))
        assert told["wrong"] == 5, told
        assert told["right"] == 0
        assert outcome(await send(through(second, browser), form.typed(code=code))) in {"expired", "refused"}

        right, digits = await login_code(browser, number())
        # Not in the flow that was begun: what a right code has proved stays proved there.
        right = right.typed(flow="")
        told = Counter(
            outcome(answer) for answer in await together([(half, right.typed(code=digits)) for half in halves * 10])
        )
        assert told["right"] == 1, told

        captcha = (await opened(browser, BY_CODE, CODE_FORM)).typed(agreed="yes")
        phones = [number() for _ in range(20)]
        forms = (captcha.typed(phone=typed) for typed in phones)
        answers = await together(list(zip(cycle(halves), forms, strict=False)), "code")
        assert Counter(answer.status for answer in answers) == {200: 1, 422: 19}

        askers = [Browser(callers[turn % 2]) for turn in range(20)]
        one = number()
        asking = [(asker, (await opened(asker, BY_CODE, CODE_FORM)).typed(phone=one)) for asker in askers]
        answers = await together(asking, "code")
        assert Counter(answer.status for answer in answers) == {200: 1, 429: 19}
        assert await code_to(second.sandbox, one)
        assert len(await messages(second.sandbox, one)) == 1

        account = await registered(first)
        tries: list[tuple[Browser, WebForm]] = []
        for turn in range(24):
            at = Browser(callers[turn % 2])
            typed = (await opened(at, H5_LOGIN)).typed(account=account.username, password=ANOTHER, agreed="yes")
            tries.append((at, typed))
        answers = await together(tries)
        statuses = Counter(answer.status for answer in answers)
        # The hasher turns away what would wait too long (503): that is counted too.
        assert statuses[422] + statuses[503] == 10, statuses
        assert statuses[429] == 14

        house.processes[0].stop()
        port = int(urlsplit(house.addresses[0]).port or 0)
        again = serve(tmp_path / f"server-{port}.toml", tmp_path / "again.log", sandbox=house.sandbox)
        stack.callback(again.stop)
        await asyncio.to_thread(again.wait_until, lambda: is_ready(port, house.server))
        for caller in callers:
            fresh = Browser(caller)
            too_soon = await send(fresh, (await opened(fresh, BY_CODE, CODE_FORM)).typed(phone=phone), "code")
            assert too_soon.status == 429
            assert (await by_password(Browser(caller), account.username, PASSWORD, H5_LOGIN)).status == 429
            assert outcome(await send(through(caller, browser), form.typed(code=code))) in {"expired", "refused"}
        assert len(await messages(second.sandbox, phone)) == 1
        assert form_of(await browser.get(H5_LOGIN), H5_LOGIN).captcha
