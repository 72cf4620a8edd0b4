"""One animated picture of all frames a ticket has left, for pages without JavaScript.

Owns the drawing, called by ``web`` in a thread (15 to 30 ms of processor time for thirty frames). A GIF because every
browser that lacks JavaScript shows one; it plays once and rests on its last frame, which says 已过期, or 已扫码 of a
ticket that was scanned.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from PIL import Image

from bjidp.qrlogin.matrix import QUIET, Basis, Matrix

MODULE: Final = 6
"""Pixels a side of a module: whole ones, so that every module is the same square."""

_PALETTE: Final = [0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255]
_WHITE: Final = 3


def animated_image(
    basis: Basis, texts: Sequence[str], step: float, first: float | None = None, *, scanned: bool = False
) -> bytes:
    """Return a GIF that shows the code of each text for ``step`` seconds and then, for good, 已过期, or 已扫码.

    ``first`` is how long the first frame stays when part of its time is over already. Times are kept to 1/100 s.
    Without a text, for a ticket that is ``scanned`` or over, only that is left: a page never shows a broken picture.
    Raises :class:`ValueError` when a text is not of the basis.
    """
    pictures = [_picture(basis.draw(text)) for text in texts]
    durations = [round(1000 * step) for _ in texts]
    if durations and first is not None:
        durations[0] = round(1000 * first)
    pictures.append(_last("scanned.png" if scanned else "expired.png", (basis.size + 2 * QUIET) * MODULE))
    out = io.BytesIO()
    pictures[0].save(
        out,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=[*durations, 10],
        disposal=1,
        optimize=False,
    )
    return out.getvalue()


def _picture(matrix: Matrix) -> Image.Image:
    side = matrix.size + 2 * QUIET
    shades = bytearray([_WHITE]) * (side * side)
    for row, modules in enumerate(matrix.rows(), QUIET):
        start = row * side + QUIET
        shades[start : start + matrix.size] = bytes(0 if dark else _WHITE for dark in modules)
    small = Image.frombytes("P", (side, side), bytes(shades))
    return _coloured(small.resize((side * MODULE, side * MODULE), Image.Resampling.NEAREST))


def _last(name: str, side: int) -> Image.Image:
    """Return the last frame, in four greys: a clock struck through above 已过期, or a phone above 已扫码.

    The three characters are a picture because a server need not have a Chinese font; they are set in Noto Sans CJK SC
    (SIL Open Font License 1.1, which leaves pictures of text free).
    """
    with Image.open(io.BytesIO(files("bjidp.qrlogin").joinpath(name).read_bytes())) as drawn:
        greys = drawn.convert("L").point(lambda shade: round(shade / 85))
    frame = Image.new("L", (side, side), _WHITE)
    frame.paste(greys, ((side - greys.width) // 2, (side - greys.height) // 2))
    return _coloured(Image.frombytes("P", frame.size, frame.tobytes()))


def _coloured(indexed: Image.Image) -> Image.Image:
    indexed.putpalette(_PALETTE)
    return indexed
