"""Pseudonyms: the keyed digests that stand for personal values wherever something must be counted or compared.

Owns the one function behind the keys of throttles, used login codes, networks and ticket references, so that no
plain identifier is ever a key in a store. Short-lived by nature: a key rotation starts them anew.
"""

from __future__ import annotations

from bjidp.entropy import base64url
from bjidp.privacy.framing import framed
from bjidp.privacy.keyring import Keyring


class Pseudonyms:
    """Computes pseudonyms; the same label and parts give the same one in every process with the same keys."""

    def __init__(self, keyring: Keyring) -> None:
        """Use the current version of ``keyring``."""
        self._keyring = keyring

    def digest(self, label: str, *parts: str) -> bytes:
        """Return 32 bytes for ``parts`` under ``label``, a name from the code; other labels are unrelated."""
        version = self._keyring.current
        key = self._keyring.derive(version, f"pseudonym/{label}")
        return self._keyring.suite(version).digest(key, framed(*parts))

    def key(self, label: str, *parts: str) -> str:
        """Return the digest as base64url text of 43 characters, fit for a store's key or a URL."""
        return base64url(self.digest(label, *parts))
