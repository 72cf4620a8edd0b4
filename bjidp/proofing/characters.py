"""The characters of names and numbers, by code point. Pure tables.

The Han blocks are listed here instead of asked of ``unicodedata``: an interpreter's tables are older than
GB 18030-2022, and characters it does not know yet stand in people's names all the same.
"""

from __future__ import annotations

from bjidp.verification.typed import FULL_WIDTH

SEPARATOR = "\u00b7"
"""The one dot of names, U+00B7 (notice 民委发〔2016〕33号 of twelve ministries)."""

SEPARATOR_VARIANTS = "\u2022\u2027\u30fb\uff65\u0387\u22c5\u2219\u16eb"
"""What keyboards give for it."""

FULL_STOPS = ".\uff0e\u3002"
"""What people type for it; in a Han name only a person can tell whether it was meant."""

SPACES = " \t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""Spaces that can be seen as such; line ends and zero-width ones are not among them."""

LATIN_PUNCTUATION = "-'\u2019.,"
"""What Latin names hold beside letters."""

FULL_WIDTH_LETTERS = {code: plain for code, plain in FULL_WIDTH.items() if chr(plain).isalpha()}

_HAN = (
    (0x3007, 0x3007),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2EE5F),
    (0x2F800, 0x2FA1F),
    (0x30000, 0x3347F),
)
_PRIVATE = ((0xE000, 0xF8FF), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD))
"""Private use: rare characters as old chips, banks and the police wrote them before Unicode had them."""

_LATIN = ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x24F), (0x1E00, 0x1EFF))
_COMBINING = ((0x300, 0x36F),)

GB18030_2022 = str.maketrans(
    {
        0xE81E: 0x9FB4,
        0xE826: 0x9FB5,
        0xE82B: 0x9FB6,
        0xE82C: 0x9FB7,
        0xE832: 0x9FB8,
        0xE843: 0x9FB9,
        0xE854: 0x9FBA,
        0xE864: 0x9FBB,
    }
)
"""Han characters that GB 18030-2022 moved from private use to code points of their own (its punctuation is left
out: no name holds any)."""


def is_han(character: str) -> bool:
    """Tell whether it is a Han character, 〇 included, or a private-use one that stands for one."""
    return _within(character, _HAN) or is_private(character)


def is_private(character: str) -> bool:
    """Tell whether it is a private-use character."""
    return _within(character, _PRIVATE)


def is_latin(character: str) -> bool:
    """Tell whether it is a Latin letter."""
    return _within(character, _LATIN)


def is_combining(character: str) -> bool:
    """Tell whether it is a mark written over the letter before it."""
    return _within(character, _COMBINING)


def _within(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    code = ord(character)
    return any(first <= code <= last for first, last in ranges)
