"""Reading JSON bodies: strictly, within bounds, with the fault named.

Owns the step from bytes to a typed struct. Called by every handler that takes JSON.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from aiohttp import web

from bjidp.errors import FieldFault, InvalidRequest

T = TypeVar("T", bound=msgspec.Struct)

BODY_MAX = 64 * 1024
"""Bytes of a request body; aiohttp answers 413 beyond them."""

_MISSING = re.compile(r"missing required field `([^`]{1,64})`")
_UNKNOWN = re.compile(r"unknown field `([^`]{1,64})`")
_AT = re.compile(r"at `\$\.([A-Za-z0-9_.\[\]]{1,64})`$")


async def read_json(request: web.Request, decoder: msgspec.json.Decoder[T]) -> T:
    """Return the body as the decoder's type; raise :class:`InvalidRequest` naming the field at fault.

    A body of another content type is refused, so that no plain form of another site can be taken for JSON.
    """
    if request.content_type != "application/json":
        raise InvalidRequest(FieldFault("", "content_type"))
    return decode(await request.read(), decoder)


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
