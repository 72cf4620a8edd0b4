"""Refusals of the control calls: problem documents (RFC 9457). The vendors refuse in their own words."""

from __future__ import annotations

import json
from typing import TypeVar

import msgspec
from aiohttp import web

T = TypeVar("T")


class Refused(Exception):
    """A control call can't be done; carries its answer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        """Answer with ``status`` and a stable ``code``; ``detail`` says in words what to change."""
        super().__init__(code)
        self.answer = web.Response(
            status=status,
            text=json.dumps({"type": "about:blank", "status": status, "code": code, "detail": detail}),
            content_type="application/problem+json",
            headers={"Cache-Control": "no-store"},
        )


async def strict_body(request: web.Request, shape: type[T]) -> T:
    """Read the JSON body as exactly ``shape``; raise :class:`Refused` for anything else."""
    # A page of another site can post text/plain without asking, but not application/json.
    if request.content_type != "application/json":
        raise Refused(415, "unsupported_media_type", "send application/json")
    try:
        return msgspec.json.decode(await request.read(), type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "invalid_request", str(error)) from error
