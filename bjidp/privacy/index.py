"""The blind index: finding an account by a value that is not stored in clear (PRV-1).

Owns the digest of an identifier: HMAC under a key per kind and key version over the normalised value. Who holds the
database but not the roots can neither read an identifier nor try guesses, and the same value under two kinds has
nothing in common. Called by ``storage.sql``.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.privacy.framing import framed
from bjidp.privacy.keyring import Keyring


class Digest(Struct, frozen=True):
    """The keyed digest of an identifier under one key version: 32 bytes."""

    version: int
    value: bytes


class BlindIndex:
    """Computes identifier digests."""

    def __init__(self, keyring: Keyring) -> None:
        """Use the active versions of ``keyring``."""
        self._keyring = keyring

    def digest(self, kind: str, *value: str) -> Digest:
        """Return the digest to look up: under the current version, whose rows are complete."""
        return self._under(self._keyring.current, kind, value)

    def digests(self, kind: str, *value: str) -> tuple[Digest, ...]:
        """Return the digests to claim: one per active version, oldest first, the same order in every process."""
        return tuple(self._under(version, kind, value) for version in self._keyring.versions)

    def _under(self, version: int, kind: str, value: tuple[str, ...]) -> Digest:
        key = self._keyring.derive(version, f"index/{kind}")
        return Digest(version, self._keyring.suite(version).digest(key, framed(*value)))
