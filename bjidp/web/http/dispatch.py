"""From a request to what answers it.

Owns the table of the addresses that are written out, as nearly all of ours are. aiohttp's router finds an address by
patterns, keeps what it found with the request and walks through the application's layers anew each time: 20 µs a
request, 8 % of a login. What the table does not know, by its exact bytes, goes that way as ever. Called by
``connections``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias, cast

from aiohttp import web
from aiohttp.typedefs import Handler

Answering: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def straight(app: web.Application, general: Answering) -> Answering:
    """Return what answers requests to ``app``: by the table where it can, by ``general`` where it cannot.

    Middlewares are those of the application, in their order. A handler reached by the table has no ``match_info``.
    """
    known: dict[tuple[str, str], Handler] = {}
    for route in app.router.routes():
        path = None if route.resource is None else route.resource.get_info().get("path")
        if path is not None:
            known[route.method, path] = _within(app, route.handler)

    def answer(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        found = known.get((request.method, request.rel_url.raw_path))
        # What a client expects before it sends its body is for the router to answer (RFC 9110, section 10.1.1).
        if found is None or "Expect" in request.headers:
            return general(request)
        return found(cast("web.Request", request))

    return answer


def _within(app: web.Application, handler: Handler) -> Handler:
    for middleware in reversed(app.middlewares):
        handler = partial(middleware, handler=handler)
    return handler
