"""The floor: what a QR login costs in bare aiohttp on uvloop, with a dictionary and nothing else.

``python -m bench.floor SHAPE PORT``. It answers the same requests with bodies of the same size, pushes the same
messages over the same kind of WebSocket, and checks nothing: no limits, no signatures, no accounts, no database, no
headers but those aiohttp sets. ``SHAPE`` is a JSON file of the texts that a login on the server got (``bench.shape``).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import uvloop
from aiohttp import web

from bench.probe import Probe
from bench.shape import Shape


class Floor:
    """The handlers, and the two dictionaries."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._pages: dict[str, list[web.WebSocketResponse]] = {}
        self._tickets: dict[str, web.WebSocketResponse] = {}

    def build(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/login", self.page)
        app.router.add_get("/qr/channel", self.channel)
        app.router.add_post("/mp/v1/qr/scan", self.scan)
        app.router.add_post("/mp/v1/qr/confirm", self.confirm)
        app.router.add_post("/qr/redeem", self.redeem)
        return app

    async def page(self, request: web.Request) -> web.Response:
        secret = os.urandom(32).hex()[:43]
        self._pages[secret] = []
        response = web.Response(text=self._shape.page, content_type="text/html")
        response.set_cookie("browser", secret, httponly=True, samesite="Lax")
        return response

    async def channel(self, request: web.Request) -> web.WebSocketResponse:
        sockets = self._pages[request.cookies["browser"]]
        ws = web.WebSocketResponse(protocols=("bjidp.qr.v1",), heartbeat=25.0, compress=False)
        await ws.prepare(request)
        sockets.append(ws)
        ticket = os.urandom(16).hex()[:22]
        self._tickets[ticket] = ws
        await ws.send_str(self._shape.shown.replace("{ticket}", ticket))
        async for _ in ws:
            pass
        return ws

    async def scan(self, request: web.Request) -> web.Response:
        body = await request.json()
        ticket = body["text"].rpartition("/")[2][:22]
        await self._tickets[ticket].send_str(self._shape.scanned.replace("{ticket}", ticket))
        return web.Response(text=self._shape.scan.replace("{ticket}", ticket), content_type="application/json")

    async def confirm(self, request: web.Request) -> web.Response:
        body = await request.json()
        ticket = body["ticket"]
        await self._tickets.pop(ticket).send_str(self._shape.approved.replace("{ticket}", ticket))
        return web.Response(text=self._shape.confirm, content_type="application/json")

    async def redeem(self, request: web.Request) -> web.Response:
        await request.json()
        for ws in self._pages.pop(request.cookies["browser"]):
            await ws.close(code=1000)
        response = web.Response(text=self._shape.redeem, content_type="application/json")
        response.set_cookie("session", os.urandom(32).hex()[:43], httponly=True, samesite="Lax")
        response.del_cookie("browser")
        return response


async def _run(shape: Shape, port: int) -> None:
    runner = web.AppRunner(Floor(shape).build(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=2048).start()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    Probe().listen()
    await ended.wait()
    await runner.cleanup()


def main(shape: Path, port: int) -> None:
    uvloop.run(_run(Shape(**json.loads(shape.read_text(encoding="utf-8"))), port))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
