"""The root keys of personal data, by version, and the keys derived from them.

Owns which versions are active and which one look-ups may trust. Built by ``bootstrap`` from the configuration; the
roots are never in a database. A rotation without downtime takes four steps, each rolled out to every process before
the next: add the new version while look-ups stay on the old one (claims now write both); fill the new version for
older rows (``bjidp.storage.sql.rotation``); move look-ups to it; drop the old one.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from bjidp.privacy.suites import AES256_SHA256, Suite
from bjidp.secret import Secret

ROOT_SIZE = 32
"""A root is at least so many bytes long."""


class RootKey(Struct, frozen=True):
    """One version of the root: 1 to 65535, never used again once retired."""

    version: int
    secret: Secret
    suite: Suite = AES256_SHA256


class UnknownKeyVersion(Exception):
    """A stored value names a key version that is not configured."""


class Keyring:
    """The active root keys.

    ``newest`` seals new values; every version in ``versions`` gets a blind-index row; ``lookup`` is the newest
    version whose rows are complete.
    """

    def __init__(self, roots: Iterable[RootKey], lookup: int | None = None) -> None:
        """Take the active roots; ``lookup`` is the newest complete version, by default the newest of all.

        Raises :class:`ValueError` for no root, a repeated or impossible version, a short root, or a ``lookup``
        that is not among them.
        """
        self._roots: dict[int, RootKey] = {}
        for root in roots:
            if root.version in self._roots or not 0 < root.version < 1 << 16:
                raise ValueError(f"key version {root.version} is repeated or out of range")
            if len(root.secret.reveal()) < ROOT_SIZE:
                raise ValueError(f"the root key of version {root.version} is shorter than {ROOT_SIZE} bytes")
            self._roots[root.version] = root
        if not self._roots:
            raise ValueError("no root key")
        self.versions: tuple[int, ...] = tuple(sorted(self._roots))
        self.newest: int = self.versions[-1]
        self.lookup: int = self.newest if lookup is None else lookup
        if self.lookup not in self._roots:
            raise ValueError(f"look-up version {self.lookup} has no root key")
        self._derived: dict[tuple[int, str], bytes] = {}

    def suite(self, version: int) -> Suite:
        """Return the suite of ``version``; raise :class:`UnknownKeyVersion`."""
        return self._root(version).suite

    def derive(self, version: int, label: str) -> bytes:
        """Return the key of ``version`` for the purpose ``label``; raise :class:`UnknownKeyVersion`.

        Labels are names from the code, never input: each is derived once and kept.
        """
        key = self._derived.get((version, label))
        if key is None:
            root = self._root(version)
            key = self._derived[version, label] = root.suite.derive(root.secret.reveal(), label)
        return key

    def _root(self, version: int) -> RootKey:
        root = self._roots.get(version)
        if root is None:
            raise UnknownKeyVersion(version)
        return root

    def __repr__(self) -> str:
        return f"Keyring(versions={self.versions}, lookup={self.lookup})"
