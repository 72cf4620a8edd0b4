"""首都之窗 as far as the demo needs it: the site people come from.

Owns the portal's one page, which leads to the login page of the identity server. It lives on a host of its own,
since cookies do not tell ports apart.
"""

from __future__ import annotations

from importlib.resources import files
from string import Template

from aiohttp import web


def build_portal(*, login_url: str, side_by_side_url: str) -> web.Application:
    """Return the portal; its links lead to ``login_url`` and to the page with the phone beside the login page."""
    folder = files("bjidp.sandbox").joinpath("portal_pages")
    page = Template(folder.joinpath("portal.html").read_text(encoding="utf-8")).substitute(
        login_url=login_url, side_by_side_url=side_by_side_url
    )
    sheet = folder.joinpath("portal.css").read_text(encoding="utf-8")

    async def home(_: web.Request) -> web.Response:
        return web.Response(
            text=page,
            content_type="text/html",
            headers={"Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'"},
        )

    async def style(_: web.Request) -> web.Response:
        return web.Response(text=sheet, content_type="text/css")

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    app = web.Application()
    app.router.add_get("/", home)
    app.router.add_get("/portal.css", style)
    app.router.add_get("/health", health)
    return app
