"""Bodies of several parts, as browsers send forms with files (RFC 7578). Pure: bytes in, parts out.

Owns the step from a stream to parts, as strict as what browsers send: nothing before the first delimiter and nothing
behind the last, no encodings, no part without a name. It holds back no more than a delimiter's length, however long a
part is; how long one may be is the reader's business (:mod:`bjidp.web.forms.uploads`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final, TypeAlias

from msgspec import Struct

HEAD_MAX: Final = 2048
"""Bytes of what a part says of itself."""

_BOUNDARY: Final = re.compile(r"[A-Za-z0-9'()+_,./:=?-]{1,70}")
_NAMED: Final = re.compile(r'form-data; name="([^"\r\n]{1,64})"(?:; filename="([^"\r\n]*)")?')
_HEADER: Final = re.compile(r"([A-Za-z-]{1,40}):[ \t]*([^\r\n]*)")
_ESCAPES: Final = {"%22": '"', "%0D": "\r", "%0A": "\n"}


class MultipartFault(ValueError):
    """The body is none that a browser sends."""


class Begun(Struct, frozen=True):
    """A part begins: a field, or with a ``filename`` a file."""

    name: str
    filename: str | None


class Over(Struct, frozen=True):
    """The part that begun last is over."""


Piece: TypeAlias = Begun | bytes | Over


class _At(Enum):
    START = auto()
    DELIMITED = auto()
    HEAD = auto()
    PART = auto()
    END = auto()


class Multipart:
    """Takes one body apart, as it comes."""

    def __init__(self, boundary: str) -> None:
        """Part it by ``boundary``; raise :class:`MultipartFault` for one that no browser makes."""
        if not _BOUNDARY.fullmatch(boundary):
            raise MultipartFault
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        # As though a line had ended before: the first delimiter is like the others.
        self._held = b"\r\n"
        self._at = _At.START

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Yield what is known by ``data`` that was not before; raise :class:`MultipartFault`."""
        self._held += data
        while (found := self._next()) is not None:
            yield from found

    def end(self) -> None:
        """Hear that the body is over; raise :class:`MultipartFault` where its last delimiter did not come."""
        if self._at is not _At.END:
            raise MultipartFault

    def _next(self) -> tuple[Piece, ...] | None:
        """Take the next step; return its pieces, or None where more has to come."""
        match self._at:
            case _At.START:
                return self._start()
            case _At.DELIMITED:
                return self._delimited()
            case _At.HEAD:
                return self._head()
            case _At.PART:
                return self._part()
            case _At.END:
                if self._held not in {b"", b"\r", b"\r\n"}:
                    raise MultipartFault
                return None

    def _start(self) -> tuple[Piece, ...] | None:
        if len(self._held) < len(self._delimiter):
            if not self._delimiter.startswith(self._held):
                raise MultipartFault
            return None
        if not self._held.startswith(self._delimiter):
            raise MultipartFault
        self._held = self._held[len(self._delimiter) :]
        self._at = _At.DELIMITED
        return ()

    def _delimited(self) -> tuple[Piece, ...] | None:
        if len(self._held) < 2:  # noqa: PLR2004 - the length of either
            return None
        mark, self._held = self._held[:2], self._held[2:]
        if mark not in {b"--", b"\r\n"}:
            raise MultipartFault
        self._at = _At.END if mark == b"--" else _At.HEAD
        return ()

    def _head(self) -> tuple[Piece, ...] | None:
        head, found, rest = self._held.partition(b"\r\n\r\n")
        if len(head) > HEAD_MAX:
            raise MultipartFault
        if not found:
            return None
        # The line's end before the next delimiter may be the very one that ends the head.
        self._held = rest
        self._at = _At.PART
        return (_begun(head),)

    def _part(self) -> tuple[Piece, ...] | None:
        data, found, rest = self._held.partition(self._delimiter)
        if found:
            self._held = rest
            self._at = _At.DELIMITED
            return (data, Over()) if data else (Over(),)
        known = len(self._held) - len(self._delimiter) + 1
        if known <= 0:
            return None
        data, self._held = self._held[:known], self._held[known:]
        return (data,)


def _begun(head: bytes) -> Begun:
    try:
        lines = head.decode("utf-8").split("\r\n")
    except UnicodeDecodeError:
        raise MultipartFault from None
    headers: dict[str, str] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None or header[1].lower() in headers:
            raise MultipartFault
        headers[header[1].lower()] = header[2]
    named = _NAMED.fullmatch(headers.get("content-disposition", ""))
    # What a browser calls a file's type is its own guess; an encoding is nothing that one sends.
    if named is None or set(headers) - {"content-disposition", "content-type"}:
        raise MultipartFault
    return Begun(_unescaped(named[1]), None if named[2] is None else _unescaped(named[2]))


def _unescaped(text: str) -> str:
    return re.sub("|".join(_ESCAPES), lambda found: _ESCAPES[found[0]], text)
