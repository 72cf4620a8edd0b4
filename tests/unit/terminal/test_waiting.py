"""How a terminal waits: on a channel, and without one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bjidp.terminal.talking import Codes, Given, LoginFailed, Refused, Unreachable
from bjidp.terminal.waiting import answered, told

pytestmark = pytest.mark.req("RP-3")

CODES = Codes(
    device_code="device-code",
    user_code="WDJB-MJHT",
    verification_uri="https://id.example/device",
    expires_in=300,
    interval=5,
)
GIVEN = Given(access_token="access", expires_in=3600)


class Pauses:
    """Pauses that take no time."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def asking(*answers: str) -> Callable[[], Awaitable[Given]]:
    """Return a token endpoint that says no in these words, one after the other, and then yes."""
    left = list(answers)

    async def ask() -> Given:
        if left:
            raise Refused(left.pop(0), "because")
        return GIVEN

    return ask


async def test_without_a_channel_it_asks_at_the_pace_it_is_told() -> None:
    pauses = Pauses()
    ask = asking("authorization_pending", "slow_down", "authorization_pending", "slow_down")
    assert await answered(ask, CODES, at_once=False, pause=pauses) == GIVEN
    assert pauses.taken == [5, 5, 10, 10, 15]


async def test_when_the_channel_has_told_it_asks_at_once() -> None:
    pauses = Pauses()
    assert await answered(asking(), CODES, at_once=True, pause=pauses) == GIVEN
    assert await answered(asking("authorization_pending"), CODES, at_once=True, pause=pauses) == GIVEN
    assert pauses.taken == [5], "whatever the channel says, the token endpoint decides"


@pytest.mark.parametrize(
    ("error", "key"),
    [
        ("access_denied", "failed.no"),
        ("expired_token", "failed.expired"),
        ("invalid_grant", "failed.refused"),
    ],
)
async def test_a_no_is_said_in_words(error: str, key: str) -> None:
    with pytest.raises(LoginFailed) as failed:
        await answered(asking(error), CODES, at_once=True, pause=Pauses())
    assert failed.value.key == key


async def test_a_server_that_is_started_again_meanwhile_is_asked_again() -> None:
    pauses, silent = Pauses(), [Unreachable("away")] * 5

    async def ask() -> Given:
        if silent:
            raise silent.pop()
        return GIVEN

    assert await answered(ask, CODES, at_once=True, pause=pauses) == GIVEN
    assert pauses.taken == [5] * 5


async def test_a_server_that_stays_away_is_given_up() -> None:
    async def ask() -> Given:
        raise Unreachable("away")

    with pytest.raises(Unreachable):
        await answered(ask, CODES, at_once=True, pause=Pauses())


class Channel:
    """A channel that says what it is told to, each time it is opened."""

    def __init__(self) -> None:
        self.scripts: list[list[str]] = []
        self.shown: list[str | None] = []
        self.address = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.shown.append(request.headers.get("Authorization"))
        if not self.scripts:
            return web.Response(status=503)
        ws = web.WebSocketResponse(protocols=("bjidp.device.v1",))
        await ws.prepare(request)
        for said in self.scripts.pop(0):
            await ws.send_str(said if said.startswith("!") else json.dumps({"type": said}))
        await ws.close(code=1012)
        return ws


@pytest.fixture
async def channel() -> AsyncIterator[Channel]:
    made = Channel()
    app = web.Application()
    app.router.add_get("/channel", made.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        made.address = str(server.make_url("/channel")).replace("http", "ws", 1)
        yield made


async def test_the_channel_tells_that_somebody_looks_and_that_there_is_an_answer(channel: Channel) -> None:
    seen: list[str] = []
    channel.scripts = [["pending", "alive", "scanned", "approved"]]
    assert await told(CODES, channel.address, lambda: seen.append("scanned"), Pauses())
    assert seen == ["scanned"]
    assert channel.shown == ["Bearer device-code"]


async def test_who_is_sent_away_comes_back(channel: Channel) -> None:
    pauses = Pauses()
    channel.scripts = [["pending"], ["pending"], ["pending"], ["denied"]]
    assert await told(CODES, channel.address, lambda: None, pauses)
    assert pauses.taken == [1, 1, 1]


@pytest.mark.parametrize("scripts", [[], [["!{"], ["!nonsense"]]])
async def test_what_no_channel_comes_through_is_given_up(channel: Channel, scripts: list[list[str]]) -> None:
    channel.scripts = scripts
    assert not await told(CODES, channel.address, lambda: None, Pauses())
    assert len(channel.shown) == 2


async def test_a_server_without_a_channel_is_not_waited_for() -> None:
    assert not await told(CODES, None, lambda: None, Pauses())
