"""Which public keys a relying party may sign by (RFC 7517): P-256, for ES256, which is what is verified here.

Owns the look at one key. Pure; called by ``metadata``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from bjidp.entropy import from_base64url

_COORDINATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class KeyRefused(Exception):
    """It is none that a client may have; the text says why, to whoever wrote it."""


def public_key(stated: object) -> dict[str, str]:
    """Return the members of a key that are kept; raise :class:`KeyRefused`."""
    key = {str(name): str(value) for name, value in stated.items()} if isinstance(stated, Mapping) else {}
    if "d" in key:
        raise KeyRefused("has a private key: it is known to whoever read this file, make a new one")
    if key.get("kty") != "EC" or key.get("crv") != "P-256" or not _is_point(key.get("x", ""), key.get("y", "")):
        raise KeyRefused("must have keys of type EC on P-256")
    return {name: key[name] for name in ("kty", "crv", "x", "y", "kid") if name in key}


def _is_point(x: str, y: str) -> bool:
    if not _COORDINATE.fullmatch(x) or not _COORDINATE.fullmatch(y):
        return False
    try:
        across, up = (int.from_bytes(from_base64url(each)) for each in (x, y))
        ec.EllipticCurvePublicNumbers(across, up, ec.SECP256R1()).public_key()
    except ValueError:
        return False
    return True
