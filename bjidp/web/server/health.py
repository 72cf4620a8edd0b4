"""Whether the server lives, and whether it can serve.

Owns ``/health`` (the process answers) and ``/ready`` (its stores answer too): for load balancers and for the demo.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
from aiohttp import web

from bjidp.errors import StoreUnavailable


class Health:
    """Handlers of the two questions."""

    def __init__(self, pings: tuple[Callable[[], Awaitable[None]], ...], *, sandbox: bool) -> None:
        """Ask every store of ``pings``; say loudly whether outside services are a sandbox."""
        self._pings = pings
        self._sandbox = sandbox

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/health", self.health)
        app.router.add_get("/ready", self.ready)

    async def health(self, _: web.Request) -> web.Response:
        """Answer that the process lives."""
        return self._answer("ok", HTTPStatus.OK)

    async def ready(self, _: web.Request) -> web.Response:
        """Answer whether every store answers."""
        try:
            for ping in self._pings:
                await ping()
        except StoreUnavailable:
            return self._answer("unavailable", HTTPStatus.SERVICE_UNAVAILABLE)
        return self._answer("ok", HTTPStatus.OK)

    def _answer(self, state: str, status: HTTPStatus) -> web.Response:
        body = msgspec.json.encode({"status": state, "sandbox": self._sandbox})
        return web.Response(body=body, status=status, content_type="application/json")
