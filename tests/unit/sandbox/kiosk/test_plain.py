"""The kiosk's screen in a browser that runs no script (UX-4)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from bjidp.sandbox.kiosk.plain import COOKIE, IDLE, PlainKiosk
from bjidp.sandbox.kiosk.provider import Codes, Refused
from tests.unit.sandbox.kiosk.test_visits import LI, Hall

pytestmark = pytest.mark.req("RP-3", "UX-4")

Screen = TestClient[Any, Any]


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
async def screen(hall: Hall) -> AsyncIterator[Screen]:
    app = web.Application()
    PlainKiosk(hall.visits).mount(app)
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


async def shown(screen: Screen, path: str = "/kiosk/plain") -> str:
    async with screen.get(path) as answer:
        assert answer.status == 200
        return await answer.text()


async def greeted(hall: Hall, screen: Screen) -> None:
    await shown(screen)
    hall.server.answers = [LI]
    hall.clock.advance(5)
    assert "手机上已确认" in await shown(screen, "/kiosk/plain/code")
    assert "您好，李**" in await shown(screen)


async def test_the_code_moves_in_a_frame_that_loads_itself_again(hall: Hall, screen: Screen) -> None:
    page = await shown(screen)
    assert "WDJB-MJHT" in page
    assert 'http-equiv="refresh"' not in page, "what is read does not move"
    hall.server.answers = ["authorization_pending"] * 2
    first = await shown(screen, "/kiosk/plain/code")
    assert '<meta http-equiv="refresh" content="2">' in first
    hall.clock.advance(2)
    second = await shown(screen, "/kiosk/plain/code")
    pictures = [re.findall(r'src="(data:image/svg[^"]+)"', one) for one in (first, second)]
    assert pictures[0] != pictures[1]
    assert [len(one) for one in pictures] == [1, 1]
    assert "还剩 4 分 58 秒" in second


async def test_who_has_confirmed_is_greeted_and_the_next_one_finds_a_code(hall: Hall, screen: Screen) -> None:
    await greeted(hall, screen)
    async with screen.post("/kiosk/plain") as answer:
        assert "WDJB-MJHT" in await answer.text()
    assert hall.server.left == ["token"]


async def test_who_has_gone_is_logged_out_by_the_page_itself(hall: Hall, screen: Screen) -> None:
    await greeted(hall, screen)
    found = re.search(rf'http-equiv="refresh" content="{IDLE}; url=([^"]+)"', await shown(screen))
    assert found is not None
    assert "WDJB-MJHT" in await shown(screen, found[1])
    assert hall.server.left == ["token"]


async def test_a_no_and_a_server_that_is_away_are_said_and_can_be_tried_again(hall: Hall, screen: Screen) -> None:
    await shown(screen)
    hall.server.answers = ["access_denied"]
    hall.clock.advance(5)
    assert "手机上拒绝了这次登录" in await shown(screen, "/kiosk/plain/code")
    assert "重新开始" in await shown(screen)

    async def away() -> Codes:
        raise Refused("unreachable")

    codes, hall.server.codes = hall.server.codes, away  # type: ignore[method-assign]
    async with screen.post("/kiosk/plain") as answer:
        assert "现在连不上统一身份认证平台" in await answer.text()
    hall.server.codes = codes  # type: ignore[method-assign]
    assert "WDJB-MJHT" in await shown(screen)


async def test_nobody_is_known_by_an_address(hall: Hall, screen: Screen) -> None:
    async with screen.get("/kiosk/plain") as answer:
        cookie = answer.cookies[COOKIE]
        assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
        assert cookie.value not in await answer.text()
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/kiosk/plain")
