"""Outside services that misbehave on request.

One middleware in front of everything that speaks HTTP: what it does is decided by the first part of the path alone, so
such a service need not know that it can be broken. Mail does not speak HTTP and asks here itself.

``slow`` does the work and answers after a while: what a caller who has left by then asked for has happened. ``timeout``
does nothing and never answers: it ends when the caller gives up, when the sandbox stops, or after the given time, and
then closes the connection. ``http500`` answers 500. ``malformed`` does the work and cuts its answer in half. ``refuse``
closes the connection unanswered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, Literal, TypeAlias, get_args

from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Struct

Service: TypeAlias = Literal[
    "wechat", "alipay", "baidu", "authority", "bank", "register", "chuanglan", "national", "mail"
]
Mode: TypeAlias = Literal["ok", "slow", "timeout", "http500", "malformed", "refuse"]

SERVICES: Final[tuple[Service, ...]] = get_args(Service)
_SLOW: Final = 3.0
_LOOK_EVERY: Final = 0.1


class Fault(Struct, frozen=True):
    """How a service misbehaves; ``seconds`` belongs to ``slow`` and ``timeout``."""

    mode: Mode
    seconds: float | None


class Faults:
    """The faults in force, and the middleware that acts them out."""

    def __init__(self) -> None:
        """Start with every service well."""
        self._faults: dict[str, Fault] = {}
        self._stopping = asyncio.Event()
        self.held = 0
        """How many calls are being kept waiting."""

    def set(self, service: Service, fault: Fault) -> None:
        """Let ``service`` misbehave from its next call on; ``ok`` mends it."""
        self._faults[service] = fault

    def in_force(self) -> dict[str, str]:
        """Return how each service does."""
        return {service: self.of(service).mode for service in SERVICES}

    async def stop(self, _app: web.Application) -> None:
        """Let go of every call that is held."""
        self._stopping.set()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer as the service's fault says."""
        fault = self.of(request.path.lstrip("/").partition("/")[0])
        match fault.mode:
            case "ok":
                return await handler(request)
            case "slow":
                answer = await handler(request)
                await self.keep(partial(_left, request), fault)
                return answer
            case "timeout":
                await self.keep(partial(_left, request), fault)
                return _hang_up(request)
            case "refuse":
                return _hang_up(request)
            case "http500":
                return web.Response(status=500, text="Internal Server Error")
            case "malformed":
                return _halved(await handler(request))

    def of(self, service: str) -> Fault:
        """Return how ``service`` does."""
        return self._faults.get(service, Fault("ok", None))

    async def keep(self, left: Callable[[], bool], fault: Fault) -> None:
        """Keep a caller waiting as a slow service or one without an answer does, until the caller has ``left``."""
        self.held += 1
        try:
            await self._wait(left, _SLOW if fault.mode == "slow" and fault.seconds is None else fault.seconds)
        finally:
            self.held -= 1

    async def _wait(self, left: Callable[[], bool], seconds: float | None) -> None:
        # aiohttp tells a handler of a caller who left only by cancelling it, if it was started so; looking at the
        # transport works however it was started.
        loop = asyncio.get_running_loop()
        end = None if seconds is None else loop.time() + seconds
        while not self._stopping.is_set() and not left():
            pause = _LOOK_EVERY if end is None else min(_LOOK_EVERY, end - loop.time())
            if pause <= 0:
                return
            try:
                await asyncio.wait_for(self._stopping.wait(), pause)
            except TimeoutError:
                continue


def _left(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    # Written to a closed connection: nobody sees it.
    return web.Response(status=503)


def _halved(answer: web.StreamResponse) -> web.StreamResponse:
    body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
    half = body[: len(body) // 2] or b"{"
    return web.Response(status=answer.status, body=half, headers={"Content-Type": answer.headers["Content-Type"]})
