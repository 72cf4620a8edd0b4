"""The pages and their static files.

Everything is read from the package once, at start, so that a request can name only what is in that table. Pages carry
no inline script or style and load nothing from another host; the demo page alone may frame the identity server.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Awaitable, Callable, Mapping
from importlib import resources
from string import Template

from aiohttp import web

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; frame-src {frames}; "
    "frame-ancestors {ancestors}"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Asset:
    """One file as served: its bytes, type and entity tag."""

    __slots__ = ("body", "content_type", "etag")

    def __init__(self, body: bytes, content_type: str) -> None:
        """Take the bytes and derive the tag from them."""
        self.body = body
        self.content_type = content_type
        self.etag = hashlib.sha256(body).hexdigest()[:32]


def load_assets() -> Mapping[str, Asset]:
    """Read every style sheet, script and picture of the simulator, by file name."""
    folder = resources.files(__package__) / "static"
    assets = {}
    for entry in folder.iterdir():
        suffix = entry.name[entry.name.rfind(".") :]
        if suffix in _TYPES:
            assets[entry.name] = Asset(entry.read_bytes(), _TYPES[suffix])
    return assets


def serve_assets(assets: Mapping[str, Asset]) -> Handler:
    """Return the handler of ``/phone/static/{name}``."""

    async def asset(request: web.Request) -> web.StreamResponse:
        found = assets.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "no-cache", "ETag": f'"{found.etag}"', "X-Content-Type-Options": "nosniff"}
        known = request.if_none_match or ()
        if any(tag.value == found.etag for tag in known):
            return web.Response(status=304, headers=headers)
        return web.Response(body=found.body, content_type=found.content_type, charset="utf-8", headers=headers)

    return asset


def serve_page(name: str, *, frames: str, ancestors: str, **values: str | None) -> Handler:
    """Return the handler of one page; ``values`` fill its placeholders, escaped. A line with a None is left out."""
    text = (resources.files(__package__) / "pages" / name).read_text(encoding="utf-8")
    absent = [f"${key}" for key, value in values.items() if value is None]
    kept = "".join(line for line in text.splitlines(keepends=True) if not any(one in line for one in absent))
    given = {key: html.escape(value) for key, value in values.items() if value is not None}
    body = Template(kept).substitute(given).encode()
    headers = {
        "Content-Security-Policy": _POLICY.format(frames=frames, ancestors=ancestors),
        "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }

    async def page(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="text/html", charset="utf-8", headers=headers)

    return page


def mount(app: web.Application, *, login_origin: str, portal_url: str | None) -> None:
    """Add the demo page, the phone, the inbox and their files to ``app``; the demo page leads to a portal if any."""
    app.router.add_get(
        "/",
        serve_page(
            "demo.html",
            frames=f"'self' {login_origin}",
            ancestors="'none'",
            login_origin=login_origin,
            portal_url=portal_url,
        ),
    )
    app.router.add_get("/phone", serve_page("phone.html", frames="'none'", ancestors="'self'"))
    app.router.add_get(
        "/phone/beside",
        serve_page("beside.html", frames="'none'", ancestors=login_origin, login_origin=login_origin),
    )
    for name in ("inbox", "people"):
        app.router.add_get(f"/{name}", serve_page(f"{name}.html", frames="'none'", ancestors="'none'"))
    app.router.add_get("/phone/static/{name}", serve_assets(load_assets()))
