"""Drawing a captcha.

Owns how it looks: dark digits on paper of their own, so that they are as legible on a dark page, in 240 x 92 pixels to
be shown at half that size. They are turned little, and each one stands on a foot, so that it is no seven. Called by
:mod:`bjidp.verification.captcha_pool` on a thread: a picture takes 5 ms.
"""

from __future__ import annotations

import io
from importlib.resources import files
from typing import Final

from captcha.image import ImageCaptcha
from PIL import Image, ImageChops, ImageFilter

WIDTH: Final = 240
HEIGHT: Final = 92

_PAPER: Final = (244, 245, 247)
_INK: Final = (23, 58, 122)
"""10:1 on the paper."""

_BLACK: Final = (0, 0, 0)
_WHITE: Final = (255, 255, 255)

_SHADES: Final = 8
"""Between paper and ink: three bits a pixel make a picture of 2 KB, which every open captcha costs the store."""

_BITS: Final = 3
_SHADE_OF: Final = [round(level / 255 * (_SHADES - 1)) for level in range(256)]
_PALETTE: Final = [
    round(paper + (ink - paper) * shade / (_SHADES - 1))
    for shade in range(_SHADES)
    for paper, ink in zip(_PAPER, _INK, strict=True)
]

_DOTS: Final = 24
_DOT: Final = 2
_CURVES: Final = 2
_CUTS: Final = 1
"""Curves in the colour of the paper: they take the digits apart."""


class _Digits(ImageCaptcha):
    character_rotate = (-18, 18)
    character_warp_dx = (0.05, 0.16)
    character_warp_dy = (0.1, 0.22)
    word_offset_dx = 0.2


FONTS: Final = [str(file) for file in (files("bjidp.verification") / "fonts").iterdir() if file.name.endswith(".ttf")]

_digits: Final = _Digits(WIDTH, HEIGHT, FONTS, (58, 64, 70))


def draw(answer: str) -> bytes:
    """Return a PNG of ``answer``; no two are alike."""
    levels = _digits.create_captcha_image(answer, _WHITE, _BLACK).convert("L")
    levels = ImageChops.subtract(levels, _strokes(_CUTS, 0))
    levels = ImageChops.lighter(levels, _strokes(_CURVES, _DOTS))
    shades = levels.filter(ImageFilter.SMOOTH).point(_SHADE_OF)
    picture = Image.frombytes("P", shades.size, shades.tobytes())
    picture.putpalette(_PALETTE)
    out = io.BytesIO()
    picture.save(out, "PNG", bits=_BITS)
    return out.getvalue()


def _strokes(curves: int, dots: int) -> Image.Image:
    # Drawn at half the size: the library's curves are one pixel wide.
    small = Image.new("RGB", (WIDTH // 2, HEIGHT // 2))
    for _ in range(curves):
        _digits.create_noise_curve(small, _WHITE)
    _digits.create_noise_dots(small, _WHITE, _DOT, dots)
    return small.convert("L").resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
