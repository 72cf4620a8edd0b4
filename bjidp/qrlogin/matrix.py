"""The QR code as arithmetic: one basis drawn at start, every frame after it an exclusive-or.

Owns :class:`Basis`. ``bootstrap`` builds one for the server's prefix, ``web`` serves :meth:`Basis.encode` as an
immutable file to the pages, which draw their frames themselves, and :mod:`bjidp.qrlogin.picture` draws frames for
pages without JavaScript from the same basis.

At a fixed version, error level, mask and length a QR code in byte mode is *affine* in its data bits: the header and
padding do not change, Reed-Solomon coding is linear over GF(2), placement is a permutation and the mask a constant.
So ``matrix(text) = matrix(zeros) XOR (the matrices of the bits that are set in text)`` (ISO/IEC 18004, sections 7.4
to 7.8).
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode
from qrcode.util import QRData

VARIABLE: Final = 39
"""Characters of a frame that differ from page to page: ticket (22), ``.``, time (3), ``.``, MAC (12)."""

MASK: Final = 2
"""One fixed data mask (ISO/IEC 18004, section 7.8.2). A basis cannot choose per text; of the eight this one has the
lowest mean penalty (section 7.8.3) over random frames behind typical prefixes: 878, the others 972 to 1151."""

QUIET: Final = 4
"""Modules of white on every side that a reader may count on (ISO/IEC 18004, section 9.1)."""

_CAPACITY: Final = {5: 84, 6: 106, 7: 122, 8: 152}
"""Bytes a version holds at error level M (ISO/IEC 18004, table 7). Past version 8 a module on the page's 216 pixels
is thinner than 4.4 pixels, and a phone's camera at arm's length begins to miss it."""

_MAGIC: Final = b"bjqr\x01"

_BYTE_MODE: Final = 4
"""``qrcode.util.MODE_8BIT_BYTE``, as the literal its types ask for (ISO/IEC 18004, table 2)."""

_ORIGIN: Final = int.from_bytes(b"0" * VARIABLE, "big")
"""The text the drawing starts from. Not NULs: qrcode 8.2 cannot divide a block of zeros (``glog(0)``), and in versions
with four blocks the variable part fills whole ones."""


class PrefixTooLong(ValueError):
    """The address in front of every ticket leaves no room for one; the message says so in words."""

    def __init__(self, prefix: str, longest: int) -> None:
        """Name the prefix and how many characters it may have."""
        super().__init__(
            f"the QR prefix {prefix!r} has {len(prefix)} characters and the largest code allowed holds {longest}: "
            "choose a shorter base URL"
        )


class Matrix(msgspec.Struct, frozen=True):
    """A square of modules without its quiet zone.

    ``bits`` is one whole number of ``size * size`` bits, row by row, the first module in the highest bit; a set bit
    is a dark module.
    """

    size: int
    bits: int

    def dark(self, row: int, column: int) -> bool:
        """Return whether the module is dark."""
        return bool(self.bits >> (self.size * self.size - 1 - row * self.size - column) & 1)

    def rows(self) -> list[list[bool]]:
        """Return the modules row by row, True for dark."""
        digits = f"{self.bits:0{self.size * self.size}b}"
        return [[mark == "1" for mark in digits[at : at + self.size]] for at in range(0, len(digits), self.size)]

    def packed(self) -> bytes:
        """Return the modules eight to a byte, highest bit first; the last byte is filled up with zeros."""
        length = (self.size * self.size + 7) // 8
        return (self.bits << (8 * length - self.size * self.size)).to_bytes(length, "big")


class Basis:
    """The matrices every frame of one prefix is made of.

    Building one draws ``8 * VARIABLE + 1`` codes (about 0.2 s): once, at start. It never changes afterwards.
    """

    __slots__ = ("_columns", "_encoded", "_zero", "fingerprint", "prefix", "version")

    def __init__(self, prefix: str) -> None:
        """Draw the basis for texts that are ``prefix`` and :data:`VARIABLE` characters.

        Raises :class:`PrefixTooLong` when no readable version holds them, and :class:`ValueError` for a prefix that
        is not printable ASCII (a host name with other letters is written in punycode).
        """
        if not (prefix.isascii() and prefix.isprintable()):
            raise ValueError(f"the QR prefix {prefix!r} is not printable ASCII")
        self.prefix = prefix
        self.version = version_for(prefix)
        origin = self._drawn(_ORIGIN)
        self._columns = tuple(self._drawn(_ORIGIN ^ 1 << bit) ^ origin for bit in reversed(range(8 * VARIABLE)))
        self._zero = self._sum(origin, _ORIGIN)
        self._encoded = self._file()
        self.fingerprint = hashlib.sha256(self._encoded).hexdigest()[:16]

    @property
    def size(self) -> int:
        """Return how many modules a side has, without the quiet zone."""
        return 17 + 4 * self.version

    def draw(self, text: str) -> Matrix:
        """Return the code of ``text``; raise :class:`ValueError` when it is not the prefix and 39 ASCII characters."""
        if not text.startswith(self.prefix) or len(text) != len(self.prefix) + VARIABLE or not text.isascii():
            raise ValueError("the text is not of this basis: the prefix and 39 ASCII characters")
        return Matrix(self.size, self._sum(self._zero, int.from_bytes(text[len(self.prefix) :].encode(), "big")))

    def encode(self) -> bytes:
        """Return the file a page draws with; :attr:`fingerprint` is the hash of exactly these bytes.

        ``bjqr`` and 1 (the format), then one byte each: modules a side, variable characters, length of the prefix;
        the prefix; the matrix of the zeros; one matrix for each data bit, highest bit of the first character first.
        Matrices are :meth:`Matrix.packed`. 54 KB for version 5, 18 KB as gzip.
        """
        return self._encoded

    def _file(self) -> bytes:
        head = _MAGIC + bytes((self.size, VARIABLE, len(self.prefix))) + self.prefix.encode()
        return head + b"".join(Matrix(self.size, bits).packed() for bits in (self._zero, *self._columns))

    def _sum(self, bits: int, data: int) -> int:
        for position, column in enumerate(self._columns):
            if data >> (8 * VARIABLE - 1 - position) & 1:
                bits ^= column
        return bits

    def _drawn(self, data: int) -> int:
        code = QRCode(version=self.version, error_correction=ERROR_CORRECT_M, mask_pattern=MASK)
        text = self.prefix.encode() + data.to_bytes(VARIABLE, "big")
        code.add_data(QRData(text, mode=_BYTE_MODE), optimize=0)
        code.make(fit=False)
        return int("".join("1" if module else "0" for row in code.modules for module in row), 2)


def version_for(prefix: str) -> int:
    """Return the smallest version, from 5 on, that holds the prefix and a frame; raise :class:`PrefixTooLong`."""
    for version, capacity in _CAPACITY.items():
        if len(prefix) + VARIABLE <= capacity:
            return version
    raise PrefixTooLong(prefix, max(_CAPACITY.values()) - VARIABLE)
