"""Files that never change under their address: style sheets, scripts, the QR basis.

Owns reading them once at start and naming them by content. ``web`` answers ``GET /static/...`` from the table with
``Cache-Control: public, max-age=31536000, immutable``; ``rendering`` turns names into addresses.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Final

import msgspec

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}


class StaticFile(msgspec.Struct, frozen=True):
    """One file, ready to be sent: as it is, or compressed for a client that accepts gzip."""

    body: bytes
    gzip: bytes
    content_type: str


class StaticFiles:
    """All files by address.

    Those of ``bjidp/web/static`` share one hash (``/static/<hash>/<name>``), so that a script's relative ``import``
    finds its neighbours and a new release never mixes with an old one.
    """

    __slots__ = ("_names", "table")

    def __init__(self, names: Mapping[str, str], table: Mapping[str, StaticFile]) -> None:
        """Take the address of each name and the file at each address."""
        self._names = dict(names)
        self.table: Mapping[str, StaticFile] = dict(table)

    @classmethod
    def load(cls) -> StaticFiles:
        """Read the files shipped with the program; raise :class:`ValueError` for one of an unknown type."""
        found = dict(sorted(_walk(files("bjidp.web").joinpath("static"), PurePosixPath())))
        digest = hashlib.sha256()
        for name, body in found.items():
            digest.update(f"{name}\0{len(body)}\0".encode() + body)
        names = {name: f"/static/{digest.hexdigest()[:16]}/{name}" for name in found}
        return cls(names, {names[name]: _packed(body, _content_type(name)) for name, body in found.items()})

    def url(self, name: str) -> str:
        """Return the address of a file, by its name under ``bjidp/web/static``; raise :class:`KeyError`."""
        return self._names[name]

    def including(self, path: str, body: bytes, content_type: str) -> StaticFiles:
        """Return the same files and one more at ``path``, whose caller has put a hash of the content into it."""
        return StaticFiles(self._names, {**self.table, path: _packed(body, content_type)})


def _walk(folder: Traversable, at: PurePosixPath) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _walk(entry, at / entry.name)
        elif not entry.name.startswith("."):
            found.append((str(at / entry.name), entry.read_bytes()))
    return found


def _content_type(name: str) -> str:
    try:
        return _TYPES[PurePosixPath(name).suffix]
    except KeyError:
        raise ValueError(f"no content type is known for the static file {name!r}") from None


def _packed(body: bytes, content_type: str) -> StaticFile:
    return StaticFile(body, gzip.compress(body, compresslevel=9, mtime=0), content_type)
