"""Reading JSON bodies: strictly, within bounds, with the fault named.

Owns the step from bytes to a typed struct. Called by every handler that takes JSON.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from typing import Final, TypeVar

import msgspec
from aiohttp import web
from multidict import MultiDictProxy

from bjidp.errors import FieldFault, InvalidRequest
from bjidp.web.http.errors import RequestTimeout, TooLarge

T = TypeVar("T", bound=msgspec.Struct)
V = TypeVar("V")

JSON: Final = "application/json"

BODY_MAX: Final = 64 * 1024
"""Bytes of a request body, JSON or a form; 413 beyond them. aiohttp is told of it in ``bootstrap``."""

BODY_TIME: Final = 10.0
"""Seconds the whole of a body may take to come (attack W9): the largest, over the slowest line there is."""

_MISSING = re.compile(r"missing required field `([^`]{1,64})`")
_UNKNOWN = re.compile(r"unknown field `([^`]{1,64})`")
_AT = re.compile(r"at `\$\.([A-Za-z0-9_.\[\]]{1,64})`$")


async def read_json(request: web.Request, decoder: msgspec.json.Decoder[T]) -> T:
    """Return the body as the decoder's type; raise :class:`InvalidRequest` naming the field at fault.

    A body of another content type is refused, so that no plain form of another site can be taken for JSON.
    """
    if not is_json(request):
        raise InvalidRequest(FieldFault("", "content_type"))
    return decode(await _read(request), decoder)


def is_json(request: web.Request) -> bool:
    """Tell whether the body says that it is JSON."""
    # The first is what everybody sends; the second reads what else means the same.
    return request.headers.get("Content-Type") == JSON or request.content_type == JSON


async def _read(request: web.Request) -> bytes:
    if not request.content.is_eof():
        return await in_time(request.read())
    # It came with its head, as nearly every body does: nothing is waited for, and no timer set.
    body = request.content.read_nowait()
    if len(body) > BODY_MAX:
        raise TooLarge
    return body


async def posted_form(request: web.Request) -> MultiDictProxy[str | bytes | bytearray | web.FileField]:
    """Return the fields of a form.

    Raises :class:`ValueError` and :class:`LookupError` for a body that is none, and :class:`RequestTimeout`.
    """
    if request.content.is_eof():
        # As in :func:`_read`: no timer is set for what is there.
        return await request.post()
    return await in_time(request.post())


async def in_time(reading: Awaitable[V]) -> V:
    """Return what reads a body; raise :class:`RequestTimeout` when it has not come within :data:`BODY_TIME`."""
    try:
        async with asyncio.timeout(BODY_TIME):
            return await reading
    except TimeoutError:
        raise RequestTimeout from None


def decode(raw: bytes | str, decoder: msgspec.json.Decoder[T]) -> T:
    """Return ``raw`` as the decoder's type; raise :class:`InvalidRequest` naming the field at fault."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as fault:
        raise InvalidRequest(_fault(str(fault))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest(FieldFault("", "json")) from None


def _fault(message: str) -> FieldFault:
    at = _AT.search(message)
    inside = f"{at[1]}." if at else ""
    if missing := _MISSING.search(message):
        return FieldFault(inside + missing[1], "missing")
    if unknown := _UNKNOWN.search(message):
        return FieldFault(inside + unknown[1], "unknown")
    return FieldFault(at[1] if at else "", "invalid")
