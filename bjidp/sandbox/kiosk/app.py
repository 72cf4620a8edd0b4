"""The kiosk's addresses: the page on its screen, and what that asks of the kiosk behind it."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import msgspec
from aiohttp import web

from bjidp.sandbox.kiosk.plain import PlainKiosk
from bjidp.sandbox.kiosk.provider import Provider, Refused
from bjidp.sandbox.kiosk.settings import KioskSettings
from bjidp.sandbox.kiosk.visits import Visits

_FILES: Final = {"kiosk.js": "text/javascript", "kiosk.css": "text/css"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Kiosk:
    """The handlers."""

    def __init__(self, visits: Visits) -> None:
        """Read the page and its files."""
        self._visits = visits
        here = files(__package__)
        self._page = here.joinpath("pages", "kiosk.html").read_bytes()
        self._files = {name: here.joinpath("static", name).read_bytes() for name in _FILES}

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/kiosk", self.page)
        app.router.add_get("/kiosk/{name:kiosk\\.(?:js|css)}", self.file)
        app.router.add_post("/kiosk/visits", self.begin)
        app.router.add_get("/kiosk/visits/{visit}", self.look, allow_head=False)
        app.router.add_delete("/kiosk/visits/{visit}", self.leave)

    async def page(self, _: web.Request) -> web.Response:
        """Serve the page."""
        return web.Response(body=self._page, content_type="text/html", charset="utf-8", headers=_HEADERS)

    async def file(self, request: web.Request) -> web.Response:
        """Serve its script or its style."""
        name = request.match_info["name"]
        return web.Response(
            body=self._files[name], content_type=_FILES[name], charset="utf-8", headers={"Cache-Control": "no-cache"}
        )

    async def begin(self, _: web.Request) -> web.Response:
        """Begin a visit."""
        try:
            return _told({"visit": await self._visits.begin()})
        except Refused:
            return _told({"state": "over", "reason": "unreachable"}, status=503)

    async def look(self, request: web.Request) -> web.Response:
        """Tell what the screen shows now."""
        shown = await self._visits.look(request.match_info["visit"])
        if shown is None:
            raise web.HTTPNotFound
        return _told(shown)

    async def leave(self, request: web.Request) -> web.Response:
        """End a visit."""
        try:
            await self._visits.leave(request.match_info["visit"])
        except Refused:
            # It ends by itself; nobody stands here to be told.
            return _told({}, status=503)
        return _told({})


def mount(app: web.Application, settings: KioskSettings) -> None:
    """Add the kiosk to ``app``."""
    provider = Provider(settings)
    app.cleanup_ctx.append(provider.lifespan)
    visits = Visits(provider, settings.clock, settings.entropy)
    Kiosk(visits).mount(app)
    PlainKiosk(visits).mount(app)


def _told(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
