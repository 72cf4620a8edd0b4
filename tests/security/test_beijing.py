"""Codes and tokens of the city's own interface, at two processes at once (T5, RP-5)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from http import HTTPStatus
from itertools import chain, cycle
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from msgspec import Struct

from bjidp.bootstrap import read_keyring
from bjidp.clock import SystemClock
from bjidp.commands import registrar
from bjidp.commands.registrar import Given
from bjidp.config.loader import load
from bjidp.oidc.beijing.sealing import sealed
from tests.security.conftest import Own
from tests.security.test_identity_traces import in_redis
from tests.support.browser import Browser
from tests.support.calls import Caller, Deployment, at_once, request
from tests.support.consenting import CALLBACK
from tests.support.crowd import Crowd
from tests.support.forms import FORM, form_of, send
from tests.support.house import open_house
from tests.support.login import logged_in

AT_ONCE = 20
API: Final = "/renzheng/api"


class Integrated(Struct, frozen=True):
    """A site of the city's own interface at several processes."""

    given: Given
    callers: Sequence[Caller]
    browser: Browser

    def asking(self, code: str, ahead: int) -> dict[str, str]:
        """Return the parameters of an exchange, with an ``auth_token`` of its own."""
        told = f"{self.given.client_id}:{self.given.client_secret}:{SystemClock().now() + ahead}"
        return {
            "client_id": self.given.client_id,
            "grant_type": "authorization_code",
            "grant_code": code,
            "auth_token": sealed(told, str(self.given.client_secret)),
        }

    async def code(self) -> str:
        """Send somebody who is logged in; they agree where they are asked. Return the code that they bring."""
        asked = {
            "client_id": self.given.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "user_info",
            "state": "s1",
        }
        browser = self.browser
        begun = await browser.get(f"/renzheng/open/login/goUserLogin?{urlencode(asked)}")
        page = str(begun.header("Location"))
        shown = await browser.get(page)
        if shown.status == HTTPStatus.OK:
            await send(browser, form_of(shown, "/oauth/continue"), "agree")
            shown = await browser.get(page)
        return dict(parse_qsl(urlsplit(str(shown.header("Location"))).query))["code"]

    async def together(self, asked: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        """Ask for tokens in the same instant, of every process in turn."""
        ends: dict[str, list[bytes]] = {}
        for caller, fields in zip(cycle(self.callers), asked, strict=False):
            body = urlencode(fields).encode()
            said = request(caller.to, "POST", f"{API}/oauth/getAccessToken", headers={"Content-Type": FORM}, body=body)
            ends.setdefault(caller.to.at, []).append(said)
        answered = (at_once(caller.to, ends.get(caller.to.at, [])) for caller in self.callers)
        return [answer.json() for answer in chain.from_iterable(await asyncio.gather(*answered))]

    async def reads(self, token: str) -> set[int]:
        """Ask every process who a token is about; return what they say."""
        where = f"{API}/info/getUserInfo?{urlencode({'access_token': token})}"
        told = [await caller.send("GET", where, headers={"Host": caller.to.authority}) for caller in self.callers]
        return {answer.json()["meta"]["code"] for answer in told}


@pytest.fixture
async def integrated(
    home: Own, tmp_path: Path, postgres_url: str, redis_url: str
) -> AsyncIterator[tuple[Integrated, str]]:
    """Two processes on PostgreSQL and Redis, whose address comes with it."""
    changes: dict[str, dict[str, object]] = {
        "storage": {"database_url": postgres_url, "redis_url": redis_url},
        "beijing": {"enabled": True},
    }
    async with (
        open_house(home.demo, tmp_path, servers=2, settings=changes) as house,
        AsyncExitStack() as stack,
    ):
        ends = [Deployment(house.server, house.sandbox, at) for at in house.addresses]
        callers = [await stack.enter_async_context(Caller(end)) for end in ends]
        metadata: dict[str, object] = {
            "client_name": "社保查询",
            "client_uri": "https://site.example/",
            "redirect_uris": [CALLBACK],
            "interface": "beijing",
        }
        keyring = read_keyring(load(home.demo.config, {}))
        given = await registrar.on(postgres_url, lambda them: them.add(metadata), keyring)
        browser = await logged_in(callers[0], await Crowd().phone(callers[0]))
        yield Integrated(given, callers, browser), redis_url


@pytest.mark.attack("T5")
@pytest.mark.req("RP-5", "OPS-3")
async def test_two_processes_exchange_a_code_of_the_citys_interface_once_and_redis_tells_no_token(
    integrated: tuple[Integrated, str],
) -> None:
    site, redis_url = integrated
    code = await site.code()
    answers = await site.together([site.asking(code, ahead) for ahead in range(AT_ONCE)])
    assert Counter(answer["meta"]["code"] for answer in answers) == {0: 1, 50003: AT_ONCE - 1}
    token = next(answer["data"]["access_token"] for answer in answers if answer["meta"]["code"] == 0)
    # Of those that came after the answer was kept each is a replay, and so is this one.
    assert (await site.together([site.asking(code, AT_ONCE)]))[0]["meta"]["code"] == 50003
    assert await site.reads(token) == {50004}

    asked = site.asking(await site.code(), 0)
    answers = await site.together([asked] * AT_ONCE)
    assert Counter(answer["meta"]["code"] for answer in answers) == {0: 1, 50002: AT_ONCE - 1}
    [given] = [answer["data"] for answer in answers if answer["meta"]["code"] == 0]
    assert await site.reads(given["access_token"]) == {0}
    kept = in_redis(redis_url)
    assert kept
    secrets = (given["access_token"], given["refresh_token"], asked["grant_code"], asked["auth_token"])
    assert [secret for secret in secrets if secret.encode() in kept] == []
