"""The phone's line to the identity server.

The server sends no CORS header, so a page of another origin cannot call it: the simulator's calls come here and go on
to ``/mp/v1/`` and nowhere else. Method, JSON body and ``Authorization`` pass unchanged, as do the answer's status,
body, type and ``Retry-After``; cookies pass in neither direction, redirects are not followed.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator

from aiohttp import (
    ClientError,
    ClientSession,  # noqa: TID251 - the sandbox may not use bjidp.vendors.http; time-out and limits are set below
    ClientTimeout,
    DummyCookieJar,
    web,
)
from yarl import URL

from bjidp.sandbox.phone.bodies import TooLarge, drain, read_at_most
from bjidp.sandbox.phone.problems import problem

REQUEST_LIMIT = 64 * 1024
"""Bytes; the server's own limit is lower, so its refusals can be seen through the relay."""
ANSWER_LIMIT = 1024 * 1024
"""Bytes; no answer of the mini-program API comes near."""
TIME_OUT = 30.0
"""Seconds from the call to the whole answer."""

# Plain segments only: no dot, no percent sign, no empty segment, so no path climbs out of /mp/v1/ (W-class attacks
# on proxies: `..`, `%2e%2e`, `//`).
_TAIL = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")


class Relay:
    """Carries calls of the mini-program API to one identity server."""

    def __init__(
        self, server: URL, *, host: str | None, tls: ssl.SSLContext | None = None, time_out: float = TIME_OUT
    ) -> None:
        """Call ``server`` (an origin) under the ``Host`` ``host``, waiting ``time_out`` seconds at most."""
        self._base = server / "mp" / "v1"
        self._host = host
        self._tls = tls
        self._time_out = ClientTimeout(total=time_out)
        self._client: ClientSession | None = None

    async def lifespan(self, _app: web.Application) -> AsyncIterator[None]:
        """Keep one pool of connections while the application runs."""
        async with ClientSession(timeout=self._time_out, cookie_jar=DummyCookieJar()) as client:
            self._client = client
            yield
        self._client = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass one call on and its answer back."""
        tail = request.match_info["tail"]
        if not _TAIL.fullmatch(tail) or "%" in request.rel_url.raw_path:
            return problem(404, "not_found", "这里只转接京通小程序的接口 /mp/v1/")
        if request.query_string:
            return problem(400, "invalid_request", "小程序接口不用查询参数")
        try:
            body = await read_at_most(request, REQUEST_LIMIT)
        except TooLarge:
            return problem(413, "body_too_large", "内容过长，没有发送")
        return await self._forward(request, tail, body)

    async def _forward(self, request: web.Request, tail: str, body: bytes) -> web.StreamResponse:
        if self._client is None:
            raise RuntimeError("the relay works only while its application runs")
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        if self._host is not None:
            headers["Host"] = self._host
        try:
            async with self._client.request(
                request.method,
                self._base.joinpath(*tail.split("/")),
                data=body or None,
                headers=headers,
                allow_redirects=False,
                ssl=self._tls or True,
            ) as answer:
                payload = await drain(answer.content, ANSWER_LIMIT)
                passed = {
                    name: answer.headers[name] for name in ("Content-Type", "Retry-After") if name in answer.headers
                }
                return web.Response(status=answer.status, body=payload, headers={**passed, "Cache-Control": "no-store"})
        except TimeoutError:
            return problem(504, "server_timeout", "身份认证服务没有按时回答")
        except (ClientError, TooLarge):
            return problem(503, "server_unreachable", "连不上身份认证服务", retry_after=3)


def mount(app: web.Application, *, server: URL, host: str | None, tls: ssl.SSLContext | None) -> None:
    """Add ``/phone/relay/...`` to ``app``."""
    relay = Relay(server, host=host, tls=tls)
    app.cleanup_ctx.append(relay.lifespan)
    for method in ("GET", "POST", "DELETE"):
        app.router.add_route(method, "/phone/relay/{tail:.*}", relay.handle)
