"""Where the tokens of a terminal are kept: in its user's keyring, or in a file that nobody else can read.

Owns both places and the choice between them. What is kept is JSON, under the issuer and the client it is of.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol, cast

import msgspec
from msgspec import Struct

from bjidp.entropy import SystemEntropy, token
from bjidp.terminal.words import Said

SERVICE: Final = "bjidp"
"""What a keyring knows these entries by."""

USABLE: Final = 1
"""Least priority of a keyring that is one: those below keep nothing, or keep it in the clear."""


class Kept(Struct, frozen=True, kw_only=True):
    """What a terminal was given."""

    issuer: str
    client_id: str
    scope: str
    access_token: str
    expires_at: int
    """When the access token is over, in seconds of the epoch."""
    refresh_token: str | None = None

    def __repr__(self) -> str:
        return f"Kept({self.issuer!r}, ***)"


class NotKept(Said):
    """The tokens cannot be kept or read; its words say why."""


class Ring(Protocol):
    """What is asked of a keyring (the package ``keyring``)."""

    priority: float

    def get_password(self, service: str, username: str) -> str | None:
        """Return what is kept under a name, or None."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep something under a name."""
        ...

    def delete_password(self, service: str, username: str) -> None:
        """Delete what is kept under a name."""
        ...


class Keeper(Protocol):
    """A place for tokens."""

    @property
    def where(self) -> str | Said:
        """The place, if need be in words."""
        ...

    def keep(self, kept: Kept) -> None:
        """Keep tokens in the place of earlier ones of the same issuer and client; raise :class:`NotKept`."""
        ...

    def find(self, issuer: str, client_id: str) -> Kept | None:
        """Return what is kept, or None; raise :class:`NotKept`."""
        ...

    def forget(self, issuer: str, client_id: str) -> None:
        """Delete what is kept, if there is anything; raise :class:`NotKept`."""
        ...


class RingKeeper:
    """Keeps them in a keyring."""

    def __init__(self, ring: Ring) -> None:
        """Keep them in ``ring``."""
        self._ring = ring

    @property
    def where(self) -> Said:
        """See :class:`Keeper`."""
        return Said("where.keyring")

    def keep(self, kept: Kept) -> None:
        """See :class:`Keeper`."""
        with _ring_in_words():
            self._ring.set_password(SERVICE, _name(kept.issuer, kept.client_id), msgspec.json.encode(kept).decode())

    def find(self, issuer: str, client_id: str) -> Kept | None:
        """See :class:`Keeper`."""
        with _ring_in_words():
            found = self._ring.get_password(SERVICE, _name(issuer, client_id))
        return None if found is None else _read(found.encode())

    def forget(self, issuer: str, client_id: str) -> None:
        """See :class:`Keeper`."""
        with _ring_in_words():
            if self._ring.get_password(SERVICE, _name(issuer, client_id)) is not None:
                self._ring.delete_password(SERVICE, _name(issuer, client_id))


class FileKeeper:
    """Keeps each in a file of its own, which only its owner may read or write."""

    def __init__(self, folder: Path) -> None:
        """Keep them in ``folder``, which is made when there is something to keep."""
        self._folder = folder

    @property
    def where(self) -> str:
        """See :class:`Keeper`."""
        return str(self._folder)

    def keep(self, kept: Kept) -> None:
        """See :class:`Keeper`."""
        path = self._path(kept.issuer, kept.client_id)
        fresh = path.with_suffix(f".{token(SystemEntropy(), 64)}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Made unreadable for others, not made so afterwards; and no link that lies there is followed.
            fresh.touch(mode=0o600, exist_ok=False)
            fresh.write_bytes(msgspec.json.encode(kept))
            fresh.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise NotKept("kept.not", where=str(self._folder), why=error.strerror or "") from None

    def find(self, issuer: str, client_id: str) -> Kept | None:
        """See :class:`Keeper`."""
        try:
            return _read(self._path(issuer, client_id).read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NotKept("kept.unread", where=str(self._folder), why=error.strerror or "") from None

    def forget(self, issuer: str, client_id: str) -> None:
        """See :class:`Keeper`."""
        try:
            self._path(issuer, client_id).unlink(missing_ok=True)
        except OSError as error:
            raise NotKept("kept.stays", where=str(self._folder), why=error.strerror or "") from None

    def _path(self, issuer: str, client_id: str) -> Path:
        return self._folder / f"{hashlib.sha256(_name(issuer, client_id).encode()).hexdigest()[:32]}.json"


def open_keeper(folder: Path, ring: Ring | None) -> Keeper:
    """Return the keyring where there is one, else files in ``folder``."""
    return FileKeeper(folder) if ring is None or ring.priority < USABLE else RingKeeper(ring)


def system_ring() -> Ring | None:
    """Return the user's keyring; None where the package is not installed, or nothing stands behind it."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None
    return cast("Ring", keyring.get_keyring())


def _name(issuer: str, client_id: str) -> str:
    return f"{issuer} {client_id}"


def _read(octets: bytes) -> Kept:
    try:
        return msgspec.json.decode(octets, type=Kept)
    except msgspec.MsgspecError:
        raise NotKept("kept.damaged") from None


@contextlib.contextmanager
def _ring_in_words() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - of every system's own kind
        raise NotKept("kept.ring", why=type(error).__name__) from None
