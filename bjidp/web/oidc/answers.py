"""How the provider answers relying parties that ask by themselves.

Owns the step from what was posted to parameters, and from what a service says, or how it fails, to an answer in the
protocol's own form (RFC 6749, section 5). Called by the endpoints of this room.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web

from bjidp.oidc.errors import InvalidClient, InvalidRequest, InvalidToken, ProtocolError
from bjidp.oidc.parameters import Parameters
from bjidp.web.http.bodies import posted_form

FORM: Final = "application/x-www-form-urlencoded"
REALM: Final = "bjidp"

_HEADERS: Final = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}

_encoder = msgspec.json.Encoder()

Asked = Callable[[web.Request], Awaitable[web.Response]]


async def posted(request: web.Request) -> Parameters:
    """Return the parameters of a posted form; raise :class:`InvalidRequest` for any other body.

    What is in the address counts for nothing here: it is written into logs on its way (RFC 6749, section 3.2).
    """
    if request.content_type != FORM or (request.charset or "utf-8").lower() != "utf-8":
        raise InvalidRequest("the body must be application/x-www-form-urlencoded in UTF-8")
    try:
        fields = await posted_form(request)
    except (ValueError, LookupError):
        raise InvalidRequest("the body is no form") from None
    return Parameters((name, value) for name, value in fields.items() if isinstance(value, str))


def given(value: object, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return ``value`` as JSON that is kept nowhere (RFC 6749, section 5.1)."""
    return web.Response(body=_encoder.encode(value), status=status, headers=_HEADERS)


def by_the_protocol(asked: Asked) -> Asked:
    """Return a handler that answers what ``asked`` raises of the protocol in the protocol's form."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return await asked(request)
        except ProtocolError as error:
            return refused(error)

    return answer


def refused(error: ProtocolError) -> web.Response:
    """Return the answer to a failure (RFC 6749, section 5.2; RFC 6750, section 3)."""
    response = given({"error": error.error, "error_description": error.description}, error.status)
    if isinstance(error, InvalidClient):
        response.headers["WWW-Authenticate"] = f'Basic realm="{REALM}"'
    elif isinstance(error, InvalidToken):
        response.headers["WWW-Authenticate"] = (
            f'Bearer realm="{REALM}", error="{error.error}", error_description="{error.description}"'
        )
    return response
