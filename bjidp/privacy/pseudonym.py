"""Pseudonyms: the keyed digests that stand for personal values wherever something must be counted or compared.

Owns the one function behind the keys of throttles, used login codes, networks and ticket references, so that no
plain identifier is ever a key in a store. What is short-lived starts anew with a key rotation; what outlives one, such
as the networks an account is known by, is looked up under every active version.
"""

from __future__ import annotations

from bjidp.entropy import base64url
from bjidp.privacy.framing import framed
from bjidp.privacy.keyring import Keyring


class Pseudonyms:
    """Computes pseudonyms; the same label and parts give the same one in every process with the same keys."""

    def __init__(self, keyring: Keyring) -> None:
        """Write under the current version of ``keyring``, look up under every active one."""
        self._keyring = keyring

    def digest(self, label: str, *parts: str) -> bytes:
        """Return 32 bytes for ``parts`` under ``label``, a name from the code; other labels are unrelated."""
        return self._under(self._keyring.current, label, parts)

    def digests(self, label: str, *parts: str) -> tuple[bytes, ...]:
        """Return the digests under which ``parts`` may be known: the current one first, then the newest before others.

        Only the first is ever written.
        """
        current = self._keyring.current
        others = [version for version in reversed(self._keyring.versions) if version != current]
        return tuple(self._under(version, label, parts) for version in (current, *others))

    def key(self, label: str, *parts: str) -> str:
        """Return the digest as base64url text of 43 characters, fit for a store's key or a URL."""
        return base64url(self.digest(label, *parts))

    def _under(self, version: int, label: str, parts: tuple[str, ...]) -> bytes:
        key = self._keyring.derive(version, f"pseudonym/{label}")
        return self._keyring.suite(version).digest(key, framed(*parts))
