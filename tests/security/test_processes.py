"""Several processes on one Redis and one PostgreSQL: what is counted, is counted once for all of them (O4, O5)."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.security.conftest import Own
from tests.security.test_codes import outcome
from tests.support.browser import Browser
from tests.support.calls import Answer, Caller, Deployment
from tests.support.forms import WebForm, form_of, send
from tests.support.house import is_ready, open_house, serve
from tests.support.visitors import (
    ANOTHER,
    BY_CODE,
    CODE_FORM,
    H5_LOGIN,
    PASSWORD,
    another,
    by_password,
    code_sent,
    inbox,
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


async def spread(callers: list[Caller], browser: Browser, forms: list[WebForm], act: str = "") -> list[Answer]:
    """Send forms of one browser in the same instant, to each process in turn."""
    posts = (send(through(callers[turn % len(callers)], browser), form, act) for turn, form in enumerate(forms))
    return await asyncio.gather(*posts)


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
        browser, phone = Browser(first), number()
        form, code = await login_code(browser, phone)

        guesses = [form.typed(code=another(code, turn)) for turn in range(1, 41)]
        told = Counter(outcome(answer) for answer in await spread(callers, browser, guesses))
        assert told["wrong"] == 5, told
        assert told["right"] == 0
        assert outcome(await send(through(second, browser), form.typed(code=code))) in {"expired", "refused"}

        right, digits = await login_code(browser, number())
        told = Counter(outcome(answer) for answer in await spread(callers, browser, [right.typed(code=digits)] * 20))
        assert told["right"] == 1, told

        captcha = (await opened(browser, BY_CODE, CODE_FORM)).typed(agreed="yes")
        phones = [number() for _ in range(20)]
        answers = await spread(callers, browser, [captcha.typed(phone=typed) for typed in phones], "code")
        assert Counter(answer.status for answer in answers) == {200: 1, 422: 19}

        askers = [Browser(callers[turn % 2]) for turn in range(20)]
        together = number()
        asking = [(await opened(asker, BY_CODE, CODE_FORM)).typed(phone=together) for asker in askers]
        answers = await asyncio.gather(*(send(*pair, "code") for pair in zip(askers, asking, strict=True)))
        assert Counter(answer.status for answer in answers) == {200: 1, 429: 19}
        assert await code_sent(second, together)
        assert len(await inbox(second, together)) == 1

        account = await registered(first)
        tries: list[tuple[Browser, WebForm]] = []
        for turn in range(24):
            at = Browser(callers[turn % 2])
            tries.append((at, (await opened(at, H5_LOGIN)).typed(account=account.username, password=ANOTHER)))
        answers = await asyncio.gather(*(send(at, typed.typed(agreed="yes")) for at, typed in tries))
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
        assert len(await inbox(second, phone)) == 1
        assert form_of(await browser.get(H5_LOGIN), H5_LOGIN).captcha
