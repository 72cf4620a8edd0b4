"""A service that is called with tokens of bjidp: introspection (RFC 7662), and challenges for more proof (RFC 9470).

    pip install aiohttp
    ISSUER=http://127.0.0.1:8080 CLIENT_ID=… CLIENT_SECRET=… python resource_server.py

Registered beforehand (bjidp clients add) with "grant_types": [] and a client_uri of the same host as that of the sites
it serves; on this machine both say "sector_identifier_host": "127.0.0.1". A server of another sector is told of every
token that it is none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import BasicAuth, ClientError, ClientSession, ClientTimeout, web

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8080")
CLIENT = BasicAuth(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
PORT = int(os.environ.get("PORT", "3001"))
MAX_AGE = int(os.environ.get("MAX_AGE", "300"))

Handler = Callable[[web.Request, dict[str, Any]], Awaitable[web.Response]]
Guarded = Callable[[web.Request], Awaitable[web.Response]]
routes = web.RouteTableDef()


def protected(scope: str, *, level: str = "L1", max_age: int | None = None) -> Callable[[Handler], Guarded]:
    """Let in whoever has a token with ``scope``, of a login at ``level`` or above at most ``max_age`` seconds ago."""

    def guarding(handler: Handler) -> Guarded:
        async def guarded(request: web.Request) -> web.Response:
            kind, _, token = request.headers.get("Authorization", "").partition(" ")
            if kind.lower() != "bearer" or not token:
                return challenge(401)
            known = await introspected(token)
            if not known["active"] or known["token_type"] != "Bearer":  # noqa: S105 - the kind of token
                return challenge(401, error="invalid_token")
            if scope not in known["scope"].split():
                return challenge(403, error="insufficient_scope", scope=scope)
            wanted: dict[str, object] = {}
            if known["acr"] < level:
                wanted["acr_values"] = level
            if max_age is not None and time.time() - known["auth_time"] > max_age:
                wanted["max_age"] = max_age
            if wanted:
                return challenge(401, error="insufficient_user_authentication", **wanted)
            return await handler(request, known)

        return guarded

    return guarding


def challenge(status: int, **told: object) -> web.Response:
    """Say what is missing (RFC 6750, section 3; RFC 9470, section 3)."""
    words = ", ".join(f'{name}="{value}"' for name, value in told.items())
    return web.Response(status=status, headers={"WWW-Authenticate": f"Bearer {words}".strip()})


async def introspected(token: str) -> dict[str, Any]:
    """Return what the token is good for at this moment; a log-out or a withdrawn agreement counts at once."""
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=5)) as http,
            http.post(f"{ISSUER}/oauth/introspect", data={"token": token}, auth=CLIENT) as answer,
        ):
            answer.raise_for_status()
            known: dict[str, Any] = await answer.json()
            return known
    except (ClientError, TimeoutError):
        # Nobody is let in because somebody could not be asked.
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"}) from None


@routes.get("/records")
@protected("profile", level="L2")
async def records(request: web.Request, known: dict[str, Any]) -> web.Response:
    """Answer what is kept of somebody, who is known by ``sub``: the same as at the sites of the sector."""
    return web.json_response({"sub": known["sub"], "records": ["公积金缴存：正常"]})


@routes.post("/records")
@protected("profile", level="L2", max_age=MAX_AGE)
async def change(request: web.Request, known: dict[str, Any]) -> web.Response:
    """Change something, for whoever proved who they are a moment ago."""
    return web.json_response({"sub": known["sub"], "changed": True})


if __name__ == "__main__":
    app = web.Application()
    app.add_routes(routes)
    web.run_app(app, host="127.0.0.1", port=PORT, print=lambda _: print(f"ready http://127.0.0.1:{PORT}", flush=True))
