"""Files that come with an appeal: how many, how large, of what kind. Pure.

Owns the limits and what a file is, which its first bytes tell: neither its name nor what the browser calls it counts.
What is in it is the business of :mod:`bjidp.appeals.sanitising`.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import Final

from msgspec import Struct

MOST: Final = 3
"""Files with one appeal."""

LARGEST: Final = 5 * 1024 * 1024
"""Bytes of one, as it is sent."""

PICTURES: Final = 10
"""Pictures that all files of one appeal may come to."""

NAME_LONGEST: Final = 60

UNNAMED: Final = "-"

_MAGIC: Final = ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"%PDF-", "pdf"))


class Kind(StrEnum):
    """What a file may be."""

    JPEG = "jpeg"
    PNG = "png"
    PDF = "pdf"


class Fault(StrEnum):
    """What may be wrong with a file; words under ``fault.attachment.<fault>``."""

    MISSING = "missing"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    KIND = "kind"
    UNREADABLE = "unreadable"
    DIMENSIONS = "dimensions"
    PAGES = "pages"
    ENCRYPTED = "encrypted"


class Sent(Struct, frozen=True):
    """A file as it was sent: the field it came in, what it was called, and its bytes.

    ``too_large`` says that there were more of them, which nobody has kept.
    """

    field: str
    name: str
    data: bytes
    too_large: bool = False

    def __repr__(self) -> str:
        """Show the field alone."""
        return f"Sent({self.field!r}, ***)"


class Picture(Struct, frozen=True, kw_only=True):
    """A picture to be kept, with what the file it is from was."""

    file: int
    name: str
    kind: Kind
    data: bytes

    def __repr__(self) -> str:
        """Show which file it is from alone."""
        return f"Picture({self.file}, ***)"


def kind_of(data: bytes) -> Kind | None:
    """Return what the bytes say they are, None for what is not taken."""
    return next((Kind(kind) for magic, kind in _MAGIC if data.startswith(magic)), None)


def fault_of(sent: Sent) -> Fault | None:
    """Return what is wrong with a file before anybody looks into it, or None."""
    if sent.too_large or len(sent.data) > LARGEST:
        return Fault.TOO_LARGE
    if not sent.data:
        return Fault.EMPTY
    return Fault.KIND if kind_of(sent.data) is None else None


def shown_name(name: str) -> str:
    """Return what a file was called, without the folders it lay in and without what no screen can show."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(character for character in last if not unicodedata.category(character).startswith("C")).strip()
    return plain[:NAME_LONGEST] or UNNAMED
