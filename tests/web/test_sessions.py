"""aiohttp-session over our store: what a handler may do with a session, and what the library may not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp_session
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bjidp.bootstrap import build
from bjidp.clock import HOUR, MINUTE
from bjidp.entropy import SeededEntropy
from bjidp.sessions.ports import SessionEnd, StaleSession
from bjidp.sessions.service import Sessions
from bjidp.web.forms.signed_in import SessionStorage, SignedIn
from bjidp.web.http.cookies import Cookies
from tests.support.browser import Browser
from tests.support.program import Program
from tests.support.session_rows import Told

Client = TestClient[web.Request, web.Application]
Rows = list[tuple[object, ...]]


@pytest.fixture
def sessions(program: Program) -> Sessions:
    """The service over the program's own store."""
    return Sessions(program.rooms.stores.sessions, program.clock, SeededEntropy("other"), 12 * HOUR, Told())


@pytest.fixture
async def client(program: Program, sessions: Sessions) -> AsyncIterator[Client]:
    """An application with handlers that use sessions as a later feature would."""
    app = web.Application()
    cookies = Cookies(program.rooms.site)
    aiohttp_session.setup(app, SessionStorage(sessions, cookies))
    signed_in = SignedIn(sessions, cookies)

    async def remember(request: web.Request) -> web.Response:
        session = await aiohttp_session.get_session(request)
        data = session.setdefault("data", {})
        data.update(request.query)
        session.changed()
        return web.json_response(data)

    async def ended_meanwhile(request: web.Request) -> web.Response:
        owner = await signed_in.of(request)
        assert owner is not None
        await sessions.end(owner.session, SessionEnd.LOGOUT)
        return await remember(request)

    async def invalidate(request: web.Request) -> web.Response:
        (await aiohttp_session.get_session(request)).invalidate()
        return web.Response()

    async def visit(request: web.Request) -> web.Response:
        owner = await signed_in.visiting(request)
        return web.Response(text="" if owner is None else owner.standing.name)

    app.router.add_get("/remember", remember)
    app.router.add_get("/ended-meanwhile", ended_meanwhile)
    app.router.add_get("/invalidate", invalidate)
    app.router.add_get("/visit", visit)
    async with TestClient(TestServer(app)) as client:
        yield client


def rows(program: Program) -> Rows:
    """Return the sessions there are."""
    return program.sql("SELECT id, version, data, last_used_at FROM browser_session")


async def test_data_that_a_handler_keeps_comes_back(program: Program, client: Client) -> None:
    browser = await program.signed_in()
    for query, kept in (("a=1", {"a": "1"}), ("b=%E5%BC%A0", {"a": "1", "b": "张"})):
        answer = await client.get(f"/remember?{query}", headers=browser.headers())
        assert await answer.json() == kept
        ((_, _, data, _),) = rows(program)
        assert json.loads(str(data)) == kept
    assert await browser.who() == "陈**"


@pytest.mark.req("PRV-4")
async def test_a_stranger_gets_no_row_and_no_cookie(program: Program, client: Client) -> None:
    for cookies in ({}, {program.deployments[0].cookie("bjidp_session"): "x" * 43}):
        answer = await client.get("/remember?a=1", cookies=cookies)
        assert answer.status == 200
        assert "Set-Cookie" not in answer.headers
        answer = await client.get("/invalidate", cookies=cookies)
        assert "Set-Cookie" not in answer.headers
    assert rows(program) == []


@pytest.mark.attack("T3", "Q6")
async def test_a_save_never_brings_an_ended_session_back(program: Program, client: Client) -> None:
    browser = await program.signed_in()
    answer = await client.get("/ended-meanwhile?a=1", headers=browser.headers())
    assert answer.status == 200
    assert rows(program) == []
    assert await browser.who() is None


@pytest.mark.attack("Q6")
async def test_of_two_saves_that_race_the_later_decides_nothing(program: Program, client: Client) -> None:
    browser = await program.signed_in()

    async def another() -> None:
        program.meddler.mends()
        await client.get("/remember?first=1", headers=browser.headers())

    store = program.meddler.between("racing", program.rooms.stores.sessions)
    racing = Sessions(store, program.clock, SeededEntropy("racing"), 12 * HOUR, Told())
    found = await racing.find(browser.session)
    assert found is not None
    program.meddler.before_next("racing.save", another)
    with pytest.raises(StaleSession):
        await racing.save(found[0], {"second": "1"})
    ((_, _, data, _),) = rows(program)
    assert json.loads(str(data)) == {"first": "1"}


async def test_a_handler_that_invalidates_ends_the_session_for_good(program: Program, client: Client) -> None:
    browser = await program.signed_in()
    answer = await client.get("/invalidate", headers=browser.headers())
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert rows(program) == []
    assert await browser.who() is None


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
