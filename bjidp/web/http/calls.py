"""Calls of a JSON interface, declared once for the router and for ``/openapi.json``.

Owns the declaration. A handler module lists its calls; :mod:`bjidp.web.server.openapi` describes what is listed and
nothing else, so that the description cannot drift from the routes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from http import HTTPStatus
from typing import TypeAlias, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

T = TypeVar("T")

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Proof(Enum):
    """What a caller shows."""

    NOTHING = "nothing"
    BEARER = "bearer"
    BROWSER = "browser"


class Outcome(Struct, frozen=True):
    """A good answer of another status, beside the usual one; without a body unless it says of which type."""

    status: HTTPStatus
    when: str
    answer: type[Struct] | None = None


class Call(Struct, frozen=True, kw_only=True):
    """One call: how it is reached, what it takes, what it answers."""

    method: str
    path: str
    summary: str
    handler: Handler
    proof: Proof
    body: type[Struct] | None = None
    form: type[Struct] | None = None
    """What the call takes as a form too, from pages without JavaScript."""
    query: tuple[tuple[str, str], ...] = ()
    answers: tuple[type[Struct], ...] = ()
    status: HTTPStatus = HTTPStatus.OK
    others: tuple[Outcome, ...] = ()
    errors: tuple[str, ...] = ()


def mount(app: web.Application, calls: tuple[Call, ...]) -> None:
    """Add the calls' routes."""
    for call in calls:
        app.router.add_route(call.method, call.path, call.handler)


_encoder = msgspec.json.Encoder()


def answer(value: Struct, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return ``value`` as JSON."""
    return web.Response(body=_encoder.encode(value), status=status, content_type="application/json")
