"""Randomness of the outside services: codes, tokens and references are made here.

The sandbox's own, for the reason given in :mod:`bjidp.sandbox.clock`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
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
        return secrets.token_bytes(count)


class SeededEntropy:
    """A reproducible stream, for tests."""

    def __init__(self, seed: str) -> None:
        """Derive the stream from ``seed``."""
        self._seed = seed.encode()
        self._blocks = 0

    def octets(self, count: int) -> bytes:
        """Return the next ``count`` bytes of the stream."""
        out = bytearray()
        while len(out) < count:
            out += hashlib.sha256(self._seed + self._blocks.to_bytes(8, "big")).digest()
            self._blocks += 1
        return bytes(out[:count])


def hexadecimal(entropy: Entropy, characters: int) -> str:
    """Return ``characters`` lower-case hexadecimal digits; an even number of them."""
    return entropy.octets(characters // 2).hex()


def base64url(octets: bytes) -> str:
    """Write ``octets`` in base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def decimal(entropy: Entropy, digits: int) -> str:
    """Return ``digits`` decimal digits: a reference number, so that a small bias does no harm."""
    return str(int.from_bytes(entropy.octets(digits), "big") % 10**digits).zfill(digits)
