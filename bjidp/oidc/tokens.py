"""The tokens of a grant, as they travel.

Owns how an access token and a refresh token are made and read. Each names its grant and proves by a MAC that it was
made here; what it is good for is the grant's, which is looked up every time, so one that was revoked is over at once
(attack T3) and making one writes nothing. Both are opaque to everybody else (RFC 6749, sections 1.4 and 1.5). Pure.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from msgspec import Struct

from bjidp.clock import HOUR, SECOND, Instant, Millis
from bjidp.entropy import base64url, from_base64url
from bjidp.mac import MacKey

ACCESS: Final[Millis] = HOUR
"""How long an access token is good for; its grant may end earlier."""

_HEAD: Final = struct.Struct(">BH16sQ")
"""Kind, key version, grant, and what the kind says of it: a second of the epoch, or a number."""

_MAC: Final = 32
_SIZE: Final = _HEAD.size + _MAC
_LENGTH: Final = len(base64url(bytes(_SIZE)))


class Kind(IntEnum):
    """What a token is for: one is never taken for the other."""

    ACCESS = 1
    REFRESH = 2


class AccessToken(Struct, frozen=True):
    """What a genuine access token says. Whether its grant is alive, only the store knows."""

    grant: str
    expires_at: Instant


class RefreshToken(Struct, frozen=True):
    """What a genuine refresh token says: the ``number`` it has among those of its grant."""

    grant: str
    number: int


class Tokens:
    """Makes and reads the tokens of one server."""

    def __init__(self, keys: Mapping[int, MacKey], current: int) -> None:
        """Write under ``current``, read under every version of ``keys``; they are used for nothing else."""
        self._keys = keys
        self._current = current

    def access(self, grant: str, now: Instant) -> str:
        """Return an access token for ``grant``, good for :data:`ACCESS`, in whole seconds."""
        return self._write(Kind.ACCESS, grant, (now + ACCESS) // SECOND)

    def refresh(self, grant: str, number: int) -> str:
        """Return the refresh token ``number`` of ``grant``: always the same text."""
        return self._write(Kind.REFRESH, grant, number)

    def read_access(self, text: str, now: Instant) -> AccessToken | None:
        """Return what an access token of ours says; None for anything else, and when its time is over."""
        found = self._read(Kind.ACCESS, text)
        if found is None:
            return None
        grant, seconds = found
        return AccessToken(grant, seconds * SECOND) if now < seconds * SECOND else None

    def read_refresh(self, text: str) -> RefreshToken | None:
        """Return what a refresh token of ours says; None for anything else."""
        found = self._read(Kind.REFRESH, text)
        return None if found is None else RefreshToken(*found)

    def _write(self, kind: Kind, grant: str, number: int) -> str:
        head = _HEAD.pack(kind, self._current, from_base64url(grant), number)
        return base64url(head + self._keys[self._current].mac(head))

    def _read(self, kind: Kind, text: str) -> tuple[str, int] | None:
        if len(text) != _LENGTH or not text.isascii():
            return None
        try:
            octets = from_base64url(text)
        except ValueError:
            return None
        head, mac = octets[: _HEAD.size], octets[_HEAD.size :]
        written, version, grant, number = _HEAD.unpack(head)
        key = self._keys.get(version)
        if key is None or not hmac.compare_digest(key.mac(head), mac) or written != kind:
            return None
        return base64url(grant), number
