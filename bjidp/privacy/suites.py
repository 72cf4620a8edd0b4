"""Cipher suites: which algorithms a key version works with.

Owns the seam for PRV-2. A suite belongs to a *key version*, not to the program: moving to another suite is the
ordinary key rotation, and both suites read side by side meanwhile. Called by the rest of this package only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bjidp.mac import MacKey


class SealBroken(Exception):
    """The sealed bytes, or what they are bound to, are not what was sealed."""


class Aead(Protocol):
    """Authenticated encryption under one key."""

    def encrypt(self, nonce: bytes, data: bytes, bound: bytes) -> bytes:
        """Return ciphertext and tag; ``bound`` is authenticated, not kept."""
        ...

    def decrypt(self, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        """Return the clear bytes; raise :class:`SealBroken`."""
        ...


class Suite(Protocol):
    """A matched set of key derivation, keyed digest and authenticated encryption."""

    name: str
    nonce_size: int

    def derive(self, root: bytes, label: str) -> bytes:
        """Return the key for one purpose; different labels give unrelated keys."""
        ...

    def digest(self, key: bytes, message: bytes) -> bytes:
        """Return 32 bytes nobody can compute or check without ``key``."""
        ...

    def aead(self, key: bytes) -> Aead:
        """Return the cipher under ``key``."""
        ...


class _AesGcm:
    """AES-256-GCM (NIST SP 800-38D) behind :class:`Aead`."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def encrypt(self, nonce: bytes, data: bytes, bound: bytes) -> bytes:
        return self._cipher.encrypt(nonce, data, bound)

    def decrypt(self, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        try:
            return self._cipher.decrypt(nonce, sealed, bound)
        except InvalidTag:
            raise SealBroken from None


class Aes256Sha256:
    """HKDF-SHA256 (RFC 5869), HMAC-SHA256 (RFC 2104) and AES-256-GCM."""

    name = "aes256-sha256"
    nonce_size = 12

    def __init__(self) -> None:
        """Start with no key taken in."""
        # Keys are as many as labels in the code and versions of the root.
        self._keys = lru_cache(256)(MacKey)

    def derive(self, root: bytes, label: str) -> bytes:
        """Return 32 bytes from HKDF-SHA256 with ``label`` as its info."""
        # No salt: the root is uniformly random already (RFC 5869, section 3.1).
        return HKDF(hashes.SHA256(), 32, salt=None, info=f"bjidp/{label}".encode()).derive(root)

    def digest(self, key: bytes, message: bytes) -> bytes:
        """Return the HMAC-SHA256 of ``message``."""
        return self._keys(key).mac(message)

    def aead(self, key: bytes) -> Aead:
        """Return AES-256-GCM under a key of 32 bytes."""
        return _AesGcm(key)


AES256_SHA256: Suite = Aes256Sha256()
