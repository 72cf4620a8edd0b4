"""Randomness as a dependency.

Owns the one source of unpredictable values. Tickets, secrets, codes and identifiers come from here; nothing
calls ``random``, ``secrets`` or ``uuid4`` itself (ruff refuses those names elsewhere).
"""

from __future__ import annotations

import binascii
import hashlib
import os
from typing import Protocol


class Entropy(Protocol):
    """Gives unpredictable bytes."""

    def octets(self, count: int) -> bytes:
        """Return ``count`` bytes nobody can guess."""
        ...


class SystemEntropy:
    """The operating system's generator."""

    def octets(self, count: int) -> bytes:
        """Return ``count`` bytes from the operating system's CSPRNG."""
        return os.urandom(count)


class SeededEntropy:
    """A reproducible stream for tests: never reaches a running server, which only knows :class:`SystemEntropy`."""

    def __init__(self, seed: str) -> None:
        """Derive the stream from ``seed``."""
        self._seed = seed.encode()
        self._blocks = 0

    def octets(self, count: int) -> bytes:
        """Return the next ``count`` bytes of the stream."""
        out = b""
        while len(out) < count:
            out += hashlib.sha256(self._seed + self._blocks.to_bytes(8, "big")).digest()
            self._blocks += 1
        return out[:count]


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_", b"+/")


def base64url(data: bytes) -> str:
    """Write ``data`` in base64url without padding (RFC 4648, section 5)."""
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """Read base64url without padding; raise :class:`ValueError` for anything that is not exactly that."""
    padded = text.encode("ascii").translate(_STANDARD) + b"=" * (-len(text) % 4)
    data = binascii.a2b_base64(padded, strict_mode=True)
    if base64url(data) != text:
        raise ValueError("not canonical base64url")
    return data


def token(entropy: Entropy, bits: int) -> str:
    """Return ``bits`` unpredictable bits as base64url text (128 bits make 22 characters, 256 bits 43)."""
    return base64url(entropy.octets(bits // 8))


def tokens(entropy: Entropy, *bits: int) -> tuple[str, ...]:
    """Return several tokens that are needed together, as :func:`token` makes them, from one draw."""
    drawn = entropy.octets(sum(bits) // 8)
    start = 0
    found: list[str] = []
    for size in bits:
        end = start + size // 8
        found.append(base64url(drawn[start:end]))
        start = end
    return tuple(found)


def digits(entropy: Entropy, count: int) -> str:
    """Return ``count`` decimal digits, every one equally likely, leading zeros kept."""
    bound = 10**count
    width = (bound.bit_length() + 7) // 8
    limit = (1 << (8 * width)) // bound * bound
    while True:
        value = int.from_bytes(entropy.octets(width), "big")
        # Values past the last whole multiple are thrown away: a bare modulo would favour small codes.
        if value < limit:
            return f"{value % bound:0{count}d}"
