"""Sessions as handlers meet them: one look a request, and no way to bring an ended one back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bjidp.bootstrap import build
from bjidp.clock import HOUR, MINUTE
from bjidp.entropy import SeededEntropy
from bjidp.sessions.ports import SessionEnd, StaleSession
from bjidp.sessions.service import Sessions
from bjidp.web.forms.signed_in import SignedIn
from bjidp.web.http.cookies import Cookies
from tests.support.browser import Browser
from tests.support.program import Program
from tests.support.session_rows import Told

Client = TestClient[web.Request, web.Application]
Rows = list[tuple[object, ...]]


@pytest.fixture
def sessions(program: Program) -> Sessions:
    """The service over the program's own store, whose calls are counted as ``looked``."""
    store = program.meddler.between("looked", program.rooms.stores.sessions)
    return Sessions(store, program.clock, SeededEntropy("other"), 12 * HOUR, Told())


@pytest.fixture
async def client(program: Program, sessions: Sessions) -> AsyncIterator[Client]:
    """An application with handlers that use sessions as a page does."""
    app = web.Application()
    signed_in = SignedIn(sessions, Cookies(program.rooms.site))

    async def visit(request: web.Request) -> web.Response:
        owner = await signed_in.visiting(request)
        return web.Response(text="" if owner is None else owner.standing.name)

    async def ended_meanwhile(request: web.Request) -> web.Response:
        owner = await signed_in.of(request)
        assert owner is not None
        await sessions.end(owner.session, SessionEnd.LOGOUT)
        return await visit(request)

    async def several_times(request: web.Request) -> web.Response:
        owners = [await signed_in.of(request), await signed_in.visiting(request), await signed_in.of(request)]
        return web.json_response([None if owner is None else owner.standing.name for owner in owners])

    app.router.add_get("/visit", visit)
    app.router.add_get("/ended-meanwhile", ended_meanwhile)
    app.router.add_get("/several-times", several_times)
    async with TestClient(TestServer(app)) as client:
        yield client


def rows(program: Program) -> Rows:
    """Return the sessions there are."""
    return program.sql("SELECT id, version, data, last_used_at FROM browser_session")


def unknown(program: Program) -> str:
    """Return a Cookie header with a session that nobody has."""
    return f"{program.deployments[0].cookie('bjidp_session')}={'x' * 43}"


@pytest.mark.req("PRV-4")
async def test_a_stranger_gets_no_row_and_no_cookie(program: Program, client: Client) -> None:
    for headers in ({}, {"Cookie": unknown(program)}):
        answer = await client.get("/visit", headers=headers)
        assert (answer.status, await answer.text()) == (200, "")
        assert "Set-Cookie" not in answer.headers
    assert rows(program) == []


@pytest.mark.attack("T3", "Q6")
async def test_a_visit_never_brings_an_ended_session_back(program: Program, client: Client) -> None:
    browser = await program.signed_in()
    program.clock.advance(10 * 60)
    answer = await client.get("/ended-meanwhile", headers=browser.headers())
    assert answer.status == 200
    assert rows(program) == []
    assert await browser.who() is None


@pytest.mark.attack("Q6")
async def test_of_two_saves_that_race_the_later_decides_nothing(program: Program, sessions: Sessions) -> None:
    browser = await program.signed_in()

    async def another() -> None:
        program.meddler.mends()
        first = await sessions.find(browser.session)
        assert first is not None
        await sessions.save(first[0], {"first": "1"})

    store = program.meddler.between("racing", program.rooms.stores.sessions)
    racing = Sessions(store, program.clock, SeededEntropy("racing"), 12 * HOUR, Told())
    found = await racing.find(browser.session)
    assert found is not None
    program.meddler.before_next("racing.save", another)
    with pytest.raises(StaleSession):
        await racing.save(found[0], {"second": "1"})
    ((_, _, data, _),) = rows(program)
    assert json.loads(str(data)) == {"first": "1"}


async def test_a_request_looks_once_however_often_it_asks_who_is_logged_in(program: Program, client: Client) -> None:
    browser = await program.signed_in()
    for headers, name in ((browser.headers(), "陈**"), (browser.headers() | {"Cookie": unknown(program)}, None)):
        before = program.meddler.calls["looked.find"]
        answer = await client.get("/several-times", headers=headers)
        assert await answer.json() == [name] * 3
        assert program.meddler.calls["looked.find"] - before == 1


async def test_a_visit_is_noted_once_in_five_minutes(program: Program, client: Client) -> None:
    browser = await program.signed_in()
    started = program.clock.now()
    noted = []
    for _ in range(11):
        program.clock.advance(60)
        await client.get("/visit", headers=browser.headers())
        ((_, _, _, used),) = rows(program)
        noted.append((int(str(used)) - started) // MINUTE)
    assert noted == [0, 0, 0, 0, 5, 5, 5, 5, 5, 10, 10]


@pytest.mark.attack("W6")
async def test_sockets_and_polls_never_write_the_session(program: Program) -> None:
    browser = await program.signed_in()
    waiting = Browser(browser.caller)
    await waiting.open()
    waiting.cookies |= browser.cookies
    before = rows(program)
    program.clock.advance(10 * 60)
    assert await waiting.knock() == 409
    assert (await waiting.tickets()).status == 409
    assert (await waiting.events()).status == 409
    assert rows(program) == before


@pytest.mark.req("OPS-4")
async def test_sessions_survive_a_restart(program: Program) -> None:
    browser = await program.signed_in()
    await program.runners[0].cleanup()
    async with TestClient(TestServer(build(program.rooms))) as client:
        answer = await client.get("/centre", headers=browser.headers() | {"Host": program.deployments[0].authority})
        assert answer.status == 200
        assert "陈**" in await answer.text()
