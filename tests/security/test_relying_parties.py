"""Codes and tokens of relying parties: used twice, without their proof, and by twenty at once (T4-T7)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec import Struct

from tests.security.conftest import Own
from tests.support.browser import Browser
from tests.support.calls import Answer, Caller, Deployment, at_once
from tests.support.consenting import CALLBACK, METADATA, Consents
from tests.support.crowd import Crowd
from tests.support.house import open_house
from tests.support.login import logged_in
from tests.support.sites import register, register_in

AT_ONCE = 20


class Stand(Struct, frozen=True):
    """A site at a server, which may be several processes, and somebody who is logged in there."""

    site: Consents
    callers: Sequence[Caller]
    browser: Browser

    @property
    def caller(self) -> Caller:
        return self.callers[0]

    async def asks(self, fields: Mapping[str, str]) -> Answer:
        return await self.site.asks(self.caller, "/oauth/token", fields)

    async def exchanges(self, code: str, **change: str) -> Answer:
        return await self.asks(self.site.exchanging(code, **change))

    async def refreshes(self, token: str) -> Answer:
        return await self.asks({"grant_type": "refresh_token", "refresh_token": token})

    async def together(self, fields: Mapping[str, str]) -> list[Answer]:
        """Ask the same :data:`AT_ONCE` times, in the same instant, of every process in turn."""
        ends: dict[str, list[bytes]] = {}
        for caller in islice(cycle(self.callers), AT_ONCE):
            asked = self.site.as_request(caller, "/oauth/token", fields)
            ends.setdefault(caller.to.at, []).append(asked)
        answered = (at_once(caller.to, ends[caller.to.at]) for caller in self.callers)
        return list(chain.from_iterable(await asyncio.gather(*answered)))

    async def is_over(self, given: Mapping[str, Any]) -> bool:
        """Tell whether neither token of an answer is good for anything."""
        reads = [await self.site.reads(caller, given["access_token"]) for caller in self.callers]
        return set(reads) == {401} and (await self.refreshes(given["refresh_token"])).status == 400


@pytest.fixture
async def stand(home: Own, crowd: Crowd) -> AsyncIterator[Stand]:
    """One process on SQLite."""
    site = Consents(await register(home.demo.config, METADATA))
    async with Caller(home.at) as caller:
        yield Stand(site, (caller,), await logged_in(caller, await crowd.phone(caller)))


@pytest.fixture
async def scaled_out(home: Own, tmp_path: Path, postgres_url: str, redis_url: str) -> AsyncIterator[Stand]:
    """Two processes on PostgreSQL and Redis."""
    storage = {"database_url": postgres_url, "redis_url": redis_url}
    async with (
        open_house(home.demo, tmp_path, servers=2, settings={"storage": storage}) as house,
        AsyncExitStack() as stack,
    ):
        ends = [Deployment(house.server, house.sandbox, at) for at in house.addresses]
        callers = [await stack.enter_async_context(Caller(end)) for end in ends]
        site = Consents(await register_in(postgres_url, METADATA))
        yield Stand(site, callers, await logged_in(callers[0], await Crowd().phone(callers[0])))


def one_of(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return what the one answer gave that was given tokens; all others have to be refused in one way."""
    assert Counter(answer.status for answer in answers) == {200: 1, 400: AT_ONCE - 1}
    assert {answer.json()["error"] for answer in answers if answer.status == 400} == {"invalid_grant"}
    return next(answer.json() for answer in answers if answer.status == 200)


async def race_exchanges(stand: Stand) -> None:
    """Exchange a code many times at once, and once more."""
    code = await stand.site.code(stand.browser)
    given = one_of(await stand.together(stand.site.exchanging(code)))
    assert (await stand.exchanges(code)).json()["error"] == "invalid_grant"
    assert await stand.is_over(given)


async def race_refreshes(stand: Stand) -> None:
    """Use a refresh token many times at once, and once more."""
    first = (await stand.exchanges(await stand.site.code(stand.browser))).json()
    given = one_of(await stand.together({"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}))
    assert (await stand.refreshes(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert await stand.is_over(given)
    assert await stand.site.reads(stand.caller, first["access_token"]) == 401


@pytest.mark.attack("T5")
@pytest.mark.req("RP-1")
async def test_of_twenty_exchanges_in_the_same_instant_one_succeeds_and_a_replay_ends_what_came_of_it(
    stand: Stand,
) -> None:
    await race_exchanges(stand)


@pytest.mark.attack("T5")
@pytest.mark.req("RP-1")
async def test_a_code_that_comes_again_ends_the_tokens_of_its_first_exchange(stand: Stand) -> None:
    """Those of nobody else: the same person's other login at the same site goes on."""
    code = await stand.site.code(stand.browser)
    given = (await stand.exchanges(code)).json()
    other = (await stand.exchanges(await stand.site.code(stand.browser))).json()
    assert await stand.site.reads(stand.caller, given["access_token"]) == 200
    assert (await stand.exchanges(code)).status == 400
    assert await stand.is_over(given)
    assert await stand.site.reads(stand.caller, other["access_token"]) == 200


@pytest.mark.attack("T7")
@pytest.mark.req("RP-1")
async def test_of_twenty_refreshes_in_the_same_instant_one_succeeds_and_a_replay_ends_them_all(stand: Stand) -> None:
    await race_refreshes(stand)


@pytest.mark.attack("T7")
@pytest.mark.req("RP-1")
async def test_a_refresh_token_that_was_used_before_ends_its_family(stand: Stand) -> None:
    first = (await stand.exchanges(await stand.site.code(stand.browser))).json()
    second = (await stand.refreshes(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert await stand.site.reads(stand.caller, second["access_token"]) == 200
    assert (await stand.refreshes(first["refresh_token"])).status == 400
    assert await stand.is_over(second)


@pytest.mark.attack("T5", "T7")
@pytest.mark.req("RP-1", "OPS-3")
async def test_two_processes_exchange_a_code_and_use_a_refresh_token_once(scaled_out: Stand) -> None:
    await race_exchanges(scaled_out)
    await race_refreshes(scaled_out)


@pytest.mark.attack("T6")
@pytest.mark.req("RP-1")
async def test_no_request_and_no_exchange_goes_without_pkce(stand: Stand) -> None:
    for change in (
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
        {"code_challenge": "v" * 42},
    ):
        refused = await stand.site.sent(stand.browser, **change)
        assert str(refused.header("Location")).startswith(f"{CALLBACK}?error=invalid_request&"), change
        pushed = await stand.site.asks(stand.caller, "/oauth/par", stand.site.asked(**change))
        assert (pushed.status, pushed.json()["error"]) == (400, "invalid_request"), change
    code = await stand.site.code(stand.browser)
    challenge = stand.site.asked()["code_challenge"]
    for verifier in ("", "v", "v" * 42, "w" * 43, challenge, "v" * 129):
        refused = await stand.exchanges(code, code_verifier=verifier)
        assert (refused.status, refused.json()["error"]) == (400, "invalid_grant"), verifier
    # Who does not hold the verifier spends nobody's code.
    assert (await stand.exchanges(code)).status == 200


@pytest.mark.attack("T4", "T5")
@pytest.mark.req("RP-1")
async def test_a_code_is_exchanged_for_the_address_and_by_the_site_it_was_given_to(stand: Stand, home: Own) -> None:
    other = Consents(await register(home.demo.config, METADATA))
    code = await stand.site.code(stand.browser)
    for address in ("", f"{CALLBACK}/", "https://evil.example/callback"):
        refused = await stand.exchanges(code, redirect_uri=address)
        assert (refused.status, refused.json()["error"]) == (400, "invalid_grant"), address
    theirs = await other.asks(stand.caller, "/oauth/token", other.exchanging(code))
    assert (theirs.status, theirs.json()["error"]) == (400, "invalid_grant")
    given = (await stand.exchanges(code)).json()
    # Spent by its own site, it is nothing another one could end tokens with.
    assert (await other.asks(stand.caller, "/oauth/token", other.exchanging(code))).status == 400
    assert await stand.site.reads(stand.caller, given["access_token"]) == 200
    stolen = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    assert (await other.asks(stand.caller, "/oauth/token", stolen)).status == 400
    assert (await stand.refreshes(given["refresh_token"])).status == 200


@pytest.mark.attack("Q24")
@pytest.mark.req("RP-1")
async def test_neither_log_nor_database_keeps_what_a_login_at_a_site_was_made_of(stand: Stand, home: Own) -> None:
    code = await stand.site.code(stand.browser)
    given = (await stand.exchanges(code)).json()
    later = (await stand.refreshes(given["refresh_token"])).json()
    pushed = await stand.site.asks(stand.caller, "/oauth/par", stand.site.asked(state="a" * 43, nonce="b" * 43))
    sent = {"client_id": stand.site.given.client_id, "request_uri": pushed.json()["request_uri"]}
    assert (await stand.browser.get(f"/oauth/authorize?{urlencode(sent)}")).status == 303
    ending = {"id_token_hint": given["id_token"], "state": "c" * 43}
    assert (await stand.browser.get(f"/oauth/logout?{urlencode(ending)}")).status == 303
    assert (await stand.exchanges("d" * 43)).status == 400
    assert (await stand.asks({"grant_type": "authorization_code", "client_secret": "e" * 43})).status == 400
    secrets = {
        "code": code,
        "tokens": given["access_token"],
        "refresh token": later["refresh_token"],
        "ID token": given["id_token"].rpartition(".")[2],
        "pushed request": sent["request_uri"].rpartition(":")[2],
        "secret": str(stand.site.given.client_secret),
        **{f"what was sent, {letter}": letter * 43 for letter in "abcde"},
    }
    kept = [file for file in home.demo.data.parent.rglob("*") if file.is_file()]
    assert home.database in kept
    assert any(file.suffix == ".log" for file in kept)
    for file in kept:
        found = file.read_bytes()
        assert [name for name, value in secrets.items() if value.encode() in found] == [], file.name
