"""What a terminal reads of a server that is slow, hostile, or no identity server at all."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bjidp.terminal.talking import SIZE_MAX, LoginFailed, Server

pytestmark = pytest.mark.req("RP-3")


class Site:
    """A server that says what it is told to, a piece at a time."""

    def __init__(self) -> None:
        self.url = ""
        self.pieces: list[bytes] = []

    async def configuration(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for piece in self.pieces:
            await response.write(piece)
            for _ in range(50):
                # Whoever reads gets their turn before there is more.
                await asyncio.sleep(0)
        await response.write_eof()
        return response


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", made.configuration)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    made.url = str(server.make_url("")).rstrip("/")
    yield made
    await server.close()


async def test_an_answer_that_comes_in_pieces_is_read_to_its_end(site: Site) -> None:
    whole = f'{{"issuer":"{site.url}","token_endpoint":"{site.url}/token","filler":"{"x" * 100_000}"}}'.encode()
    site.pieces = [whole[:20], whole[20:]]
    async with Server(site.url) as server:
        assert (await server.endpoints()).token_endpoint == f"{site.url}/token"


@pytest.mark.parametrize("words", [b'{"x":' + b"[" * 100_000, b'{"issuer":"\xff"}', b" " * (SIZE_MAX + 1) + b"{}"])
async def test_what_is_no_answer_is_said_to_be_none(site: Site, words: bytes) -> None:
    site.pieces = [words]
    async with Server(site.url) as server:
        with pytest.raises(LoginFailed, match=re.escape("failed.foreign")):
            await server.endpoints()
