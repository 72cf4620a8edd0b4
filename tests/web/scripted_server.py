"""A server that speaks the QR channel's wire to a real page and says only what the test tells it to.

The page under test is the real one, with its policy on scripts; the frame key, the messages and every answer come from
the script. The journeys with the real server are elsewhere; here a test can lose an answer, close a socket with any
code or send an old message at the right moment.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Final

import msgspec
from aiohttp import WSCloseCode, web
from aiohttp.test_utils import TestServer

from bjidp.qrlogin.matrix import Basis
from bjidp.qrlogin.picture import animated_image
from bjidp.web.pages.assets import StaticFiles
from bjidp.web.pages.centre import CentrePage
from bjidp.web.pages.login import LoginPage
from bjidp.web.pages.qr import QrState, QrStatePage
from bjidp.web.pages.rendering import Renderer
from bjidp.web.pages.shell import Page, Shell
from bjidp.web.words.texts import Texts

FLOW: Final = "mDq3vYdV0Yw4h8m0m1iX7A"
PREFIX: Final = "http://127.0.0.1:8080/q/"
"""What every QR text begins with, wherever the server listens: phones never come here."""
KEY: Final = b"a frame key of thirty-two bytes!"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'self'"
)

Message = dict[str, object]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def frame_text(prefix: str, ticket: str, number: int, purpose: str = "login") -> str:
    """Write a frame as wire.md, section 2 does: this is the test's own reading of it."""
    mac = hmac.digest(KEY, f"bjidp.qr.v1|{purpose}|{ticket}|{number:03d}".encode(), hashlib.sha256)
    return f"{prefix}{ticket}.{number:03d}.{base64.urlsafe_b64encode(mac).decode()[:12]}"


@cache
def _made() -> tuple[Basis, str, StaticFiles, Renderer]:
    """Return what every scripted server of the run draws with: it takes half a second to make."""
    basis = Basis(PREFIX)
    path = f"/static/qr/{basis.fingerprint}.bin"
    files = StaticFiles.load().including(path, basis.encode(), "application/octet-stream")
    shell = Shell(sandbox=True, portal_url="http://localhost:8082/")
    return basis, path, files, Renderer(shell, files, Texts.load("zh_CN"))


class ScriptedServer:
    """The script, and what the page has asked so far."""

    def __init__(self) -> None:
        """Begin with nothing to say."""
        self.base_url = ""
        self.prefix = PREFIX
        self.sockets: list[web.WebSocketResponse] = []
        self.heard: list[object] = []
        self.redeemed: list[Message] = []
        self.posted: list[tuple[str, dict[str, str]]] = []
        self.events: list[str] = []
        self.tickets_asked = 0
        self.pages_opened = 0
        self.sockets_allowed = True
        self.greeting: Message | None = None
        self.current: Message | None = None
        self.redeem_answers: list[Answer] = []
        self.event_refusals: list[Answer] = []
        self.page = LoginPage.sample()
        self.state = QrStatePage(state=QrState.WAITING, flow=FLOW, csrf="token")
        self.changed = asyncio.Condition()
        self._seq = 0
        self._basis, path, self._files, self._renderer = _made()
        self.page = msgspec.structs.replace(self.page, basis_url=path, flow=FLOW, embedder=None)

    # ------------------------------------------------------------------------------------------------ what is said

    def ticket(self, name: str = "A", *, elapsed: float = 0, expires_in: float = 60) -> Message:
        """Return the next ``ticket`` message; the ticket is its name, 22 times."""
        return self._message(
            "ticket",
            ticket=name * 22,
            purpose="login",
            prefix=self.prefix,
            key=base64.urlsafe_b64encode(KEY).decode().rstrip("="),
            step=2,
            elapsed=elapsed,
            expires_in=expires_in,
        )

    def scanned(self, who: str = "张**", platform: str = "wechat") -> Message:
        """Return the next ``scanned`` message."""
        return self._message("scanned", ticket="A" * 22, platform=platform, who=who, expires_in=60)

    def approved(self, *, code_required: bool = False) -> Message:
        """Return the next ``approved`` message."""
        return self._message("approved", ticket="A" * 22, grant="G" * 43, code_required=code_required, expires_in=30)

    def rejected(self, reason: str = "person") -> Message:
        """Return the next ``rejected`` message."""
        return self._message("rejected", ticket="A" * 22, reason=reason)

    def expired(self, *, renewed: bool = False) -> Message:
        """Return the next ``expired`` message."""
        return self._message("expired", ticket="A" * 22, renewed=renewed)

    async def say(self, message: Message) -> None:
        """Send a message on the newest socket, or to whoever polls."""
        self.current = message
        await self._tell()
        if self.sockets_allowed:
            await self.socket.send_str(json.dumps(message))

    @property
    def socket(self) -> web.WebSocketResponse:
        """The newest socket."""
        return self.sockets[-1]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the page has done something, ten seconds at most."""
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(condition)

    # ------------------------------------------------------------------------------------------------- how it is served

    def application(self) -> web.Application:
        """Return the routes a login page uses."""
        app = web.Application()
        app.router.add_get("/login", self._login)
        app.router.add_get("/centre", self._centre)
        app.router.add_get("/static/{rest:.*}", self._static)
        app.router.add_get("/qr/channel", self._channel)
        app.router.add_post("/qr/tickets", self._tickets)
        app.router.add_get("/qr/events", self._events)
        app.router.add_get("/qr/image", self._image)
        app.router.add_get("/qr/state", self._state)
        app.router.add_post("/qr/redeem", self._redeem)
        app.router.add_post("/qr/renew", self._form)
        app.router.add_post("/logout", self._form)
        app.router.add_get("/beside", self._beside)
        app.router.add_get("/beside.js", self._beside_script)
        return app

    async def _login(self, request: web.Request) -> web.Response:
        self.pages_opened += 1
        tab = request.query.get("tab", "scan")
        page = msgspec.structs.replace(self.page, tab=tab if tab in {"account", "legal"} else "scan")
        return self._html(page)

    async def _centre(self, request: web.Request) -> web.Response:
        return self._html(CentrePage.sample())

    async def _static(self, request: web.Request) -> web.Response:
        file = self._files.table[request.path]
        headers = {"Content-Encoding": "gzip", "Content-Type": file.content_type, "Cache-Control": "max-age=600"}
        return web.Response(body=file.gzip, headers=headers)

    async def _channel(self, request: web.Request) -> web.StreamResponse:
        if not self.sockets_allowed:
            return web.Response(status=403)
        assert request.query["flow"] == FLOW
        socket = web.WebSocketResponse(protocols=["bjidp.qr.v1"])
        await socket.prepare(request)
        assert socket.ws_protocol == "bjidp.qr.v1"
        self.sockets.append(socket)
        if self.greeting is not None:
            await socket.send_str(json.dumps(self.greeting))
        await self._tell()
        async for message in socket:
            self.heard.append(message.json())
            await self._tell()
        return socket

    async def _tickets(self, request: web.Request) -> web.Response:
        assert await request.json() == {"flow": FLOW}
        self.tickets_asked += 1
        self.current = self.greeting
        await self._tell()
        return web.json_response(self.greeting)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        assert request.query["flow"] == FLOW
        assert 0 < int(request.query["wait"]) <= 25
        after = int(request.query["after"])
        self.events.append(request.query["after"])
        await self._tell()
        if self.event_refusals:
            return await self.event_refusals.pop(0)(request)

        def newer() -> bool:
            return self.current is not None and isinstance(seq := self.current["seq"], int) and seq > after

        async with self.changed:
            await self.changed.wait_for(newer)
        return web.json_response(self.current)

    async def _redeem(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            return await self._form(request)
        self.redeemed.append(await request.json())
        await self._tell()
        return await self.redeem_answers.pop(0)(request)

    async def _form(self, request: web.Request) -> web.Response:
        fields = {name: str(value) for name, value in (await request.post()).items()}
        self.posted.append((request.path, fields))
        await self._tell()
        raise web.HTTPSeeOther("/centre")

    async def _image(self, request: web.Request) -> web.Response:
        assert request.query["flow"] == FLOW
        texts = [frame_text(self.prefix, "A" * 22, number) for number in range(30)]
        picture = await asyncio.to_thread(animated_image, self._basis, texts, 2)
        return web.Response(body=picture, content_type="image/gif")

    async def _state(self, request: web.Request) -> web.Response:
        assert request.query["flow"] == FLOW
        return self._html(self.state)

    async def _beside(self, request: web.Request) -> web.Response:
        text = '<!doctype html><script src="/beside.js"></script><iframe src="/login" width=900 height=800></iframe>'
        return web.Response(text=text, content_type="text/html")

    async def _beside_script(self, request: web.Request) -> web.Response:
        text = "window.seen = []; addEventListener('message', (event) => window.seen.push(event.data));"
        return web.Response(text=text, content_type="text/javascript")

    def _html(self, page: Page) -> web.Response:
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return web.Response(body=self._renderer.render(page), content_type="text/html", headers=headers)

    def _message(self, kind: str, **fields: object) -> Message:
        self._seq += 1
        return {"type": kind, "seq": self._seq, **fields}

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


@asynccontextmanager
async def scripted_server(host: str = "127.0.0.1") -> AsyncIterator[ScriptedServer]:
    """Run one, on a free port."""
    script = ScriptedServer()
    server = TestServer(script.application(), host=host)
    await server.start_server(shutdown_timeout=0.1)
    script.base_url = str(server.make_url("/")).rstrip("/")
    try:
        yield script
    finally:
        for socket in script.sockets:
            await socket.close(code=WSCloseCode.GOING_AWAY, drain=False)
        await server.close()


def answers(status: int, body: Message, **headers: str) -> Answer:
    """Answer a redeem."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return answer


async def loses_the_answer(request: web.Request) -> web.StreamResponse:
    """Drop the connection instead of answering."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
