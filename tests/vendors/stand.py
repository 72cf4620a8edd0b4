"""A vendor made by hand: a small server that remembers what it was sent and can be made to misbehave.

The stands of this folder are written from the vendors' documents and share no code with the clients: a mistake would
have to be made twice to go unseen.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))

    @property
    def json(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read


Reply: TypeAlias = Callable[[Seen], web.Response]


@dataclass
class Stand:
    """Answers each path with its reply, or with the lie that a test has put in its place."""

    seen: list[Seen] = field(default_factory=list)
    lies: dict[str, Reply] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    address: str = ""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def replies(self) -> dict[str, Reply]:
        """Return what is answered at which path."""
        return {}

    def lie(self, path: str, body: object, *, status: int = 200) -> None:
        """Answer ``path`` with ``body`` from now on: bytes as they are, anything else as JSON."""
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.lies[path] = lambda _: web.Response(body=text, status=status, content_type="application/json")

    def calls(self, path: str) -> list[Seen]:
        """Return the requests that came to ``path``."""
        return [seen for seen in self.seen if seen.path == path]

    async def until(self, path: str, count: int) -> None:
        """Wait until ``count`` requests have come to ``path``."""
        while len(self.calls(path)) < count:
            self.arrived.clear()
            await self.arrived.wait()

    async def _answer(self, request: web.Request) -> web.Response:
        seen = Seen(request.method, request.path, dict(request.query), dict(request.headers), await request.read())
        self.seen.append(seen)
        self.arrived.set()
        if seen.path in self.silent:
            await self.released.wait()
        reply = self.lies.get(seen.path) or self.replies().get(seen.path)
        return reply(seen) if reply else web.Response(status=404)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Listen on a free port of the loopback."""
        application = web.Application()
        application.router.add_route("*", "/{rest:.*}", self._answer)
        server = TestServer(application, host="127.0.0.1")
        await server.start_server()
        self.address = str(server.make_url("")).rstrip("/")
        try:
            yield
        finally:
            self.released.set()
            await server.close()
