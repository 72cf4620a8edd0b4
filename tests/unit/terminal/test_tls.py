"""A terminal at a server whose certificate was made on the spot."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bjidp.demo import place as demo_place
from bjidp.terminal.talking import Codes, LoginFailed, Server
from bjidp.terminal.waiting import told

pytestmark = pytest.mark.req("RP-3")


class Site:
    """A server over TLS, and what trusts it."""

    def __init__(self, folder: Path) -> None:
        certificate, key = demo_place.certificate("127.0.0.1", folder)
        self.own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.own.load_cert_chain(certificate, key)
        self.trusting = ssl.create_default_context()
        self.trusting.load_verify_locations(certificate)
        self.url = ""

    async def configuration(self, _: web.Request) -> web.Response:
        return web.json_response({"issuer": self.url, "token_endpoint": f"{self.url}/token"})

    async def channel(self, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(protocols=("bjidp.device.v1",))
        await ws.prepare(request)
        await ws.send_str('{"type":"approved"}')
        await ws.close()
        return ws


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path)
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", made.configuration)
    app.router.add_get("/channel", made.channel)
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(ssl=made.own)
    made.url = str(server.make_url("")).rstrip("/")
    yield made
    await server.close()


async def test_it_is_trusted_by_its_certificate_alone(site: Site) -> None:
    async with Server(site.url, site.trusting) as server:
        assert (await server.endpoints()).issuer == site.url
    async with Server(site.url) as server:
        with pytest.raises(LoginFailed, match=re.escape("failed.certificate")):
            await server.endpoints()


async def test_so_is_its_channel(site: Site) -> None:
    codes = Codes(device_code="d", user_code="WDJB-MJHT", verification_uri=site.url, expires_in=300)
    channel = site.url.replace("https", "wss") + "/channel"

    async def pause(_: float) -> None:
        pass

    assert await told(codes, channel, lambda: None, pause, site.trusting)
    assert not await told(codes, channel, lambda: None, pause)
