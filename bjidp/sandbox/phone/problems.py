"""Problem documents (RFC 9457) for what the simulator itself refuses; the server's own pass through untouched."""

from __future__ import annotations

import json

from aiohttp import web


def problem(status: int, code: str, title: str, *, retry_after: int | None = None) -> web.Response:
    """Return a problem document; ``retry_after`` is in seconds."""
    headers = {"Cache-Control": "no-store"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return web.Response(
        status=status,
        body=json.dumps({"type": "about:blank", "title": title, "status": status, "code": code}).encode(),
        content_type="application/problem+json",
        headers=headers,
    )
