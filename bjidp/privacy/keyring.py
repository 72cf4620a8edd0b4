"""The root keys of personal data, by version, and the keys derived from them.

Owns which versions are active and which one is current. Built by ``bootstrap`` from the configuration; the roots are
never in a database. A rotation takes five steps, each finished in every process before the next:

1. add the new version, the old one staying current: claims write both, everything is still sealed with the old;
2. fill (``bjidp keys fill``): index rows of the new version for everybody who lacks them;
3. make the new version current: look-ups and seals move to it;
4. fill again: what is still sealed with the old version is sealed anew;
5. drop the old version. Networks that are known under it alone (``login_network.key_version``) are strange from then
   on: nobody has the address to make their digest anew, only the next login from there.
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

    Every version in ``versions`` opens sealed values and gets a blind-index row. ``current`` alone seals and looks
    up: every process knows it, and its index rows are complete.
    """

    def __init__(self, roots: Iterable[RootKey], current: int | None = None) -> None:
        """Take the active roots; ``current`` is the newest of them unless a rotation is under way.

        Raises :class:`ValueError` for no root, a repeated or impossible version, a short root, or a ``current``
        version that is not among them.
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
        self.current: int = self.versions[-1] if current is None else current
        if self.current not in self._roots:
            raise ValueError(f"the current key version {self.current} has no root key")
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
        return f"Keyring(versions={self.versions}, current={self.current})"
