"""A QR code as text.

Owns the drawing: two modules to a character, in colours of its own, since a code that is light on dark is one that few
phones read, and nobody knows which a terminal is. Pure; called by ``screen``.
"""

from __future__ import annotations

from typing import Final

from qrcode.constants import ERROR_CORRECT_L
from qrcode.main import QRCode
from qrcode.util import QRData

QUIET: Final = 4
"""Modules of white on every side that a reader may count on (ISO/IEC 18004, section 9.1)."""

PAINT: Final = "\x1b[38;5;16;48;5;231m"
"""Black on white, from the part of the 256 colours that no theme changes."""

PLAIN: Final = "\x1b[0m"

_HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_BYTE_MODE: Final = 4
_MASK: Final = 2
"""One fixed mask (:mod:`bjidp.qrlogin.matrix`): to choose the best for each frame takes eight times as long."""


def lines(text: str, quiet: int = QUIET) -> list[str]:
    """Return the code of ``text`` with ``quiet`` modules of white around, a string of colours and half blocks a line.

    At error level L: a screen shows every module, and the smaller code has to fit into 24 lines.
    """
    code = QRCode(error_correction=ERROR_CORRECT_L, mask_pattern=_MASK, border=quiet)
    code.add_data(QRData(text.encode(), mode=_BYTE_MODE), optimize=0)
    code.make(fit=True)
    rows = [[bool(module) for module in row] for row in code.get_matrix()]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    return [
        PAINT + "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True)) + PLAIN
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]


def size(drawn: list[str]) -> tuple[int, int]:
    """Return how many columns and lines a drawing takes."""
    return len(drawn[0]) - len(PAINT) - len(PLAIN), len(drawn)
