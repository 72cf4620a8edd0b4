"""Serving files that never change under their address.

Owns ``GET /static/…``: from memory, compressed ahead, cached by browsers for a year.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.web.http.errors import NotFound
from bjidp.web.pages.assets import StaticFiles

IMMUTABLE: Final = "public, max-age=31536000, immutable"


class StaticPages:
    """Handler of static files."""

    def __init__(self, files: StaticFiles) -> None:
        """Serve ``files`` and nothing from the disk."""
        self._files = files

    def mount(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_get("/static/{path:.*}", self.static)

    async def static(self, request: web.Request) -> web.Response:
        """Answer one file, compressed for a client that accepts it."""
        file = self._files.table.get(request.path)
        if file is None:
            raise NotFound
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        headers = {"Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding", "Content-Type": file.content_type}
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=file.gzip if packed else file.body, headers=headers)
