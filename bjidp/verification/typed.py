"""What people type, and what comes along when they paste, where no more than ASCII is meant. Pure.

Owns which characters are another spelling of an ASCII one or of nothing, for telephone numbers, codes, mail addresses,
documents and names alike.
"""

from __future__ import annotations

from typing import Final

_SEPARATORS: Final = " \t\u00a0\u2002\u2003\u2007\u2009\u202f\u3000-\u2010\u2011\u2012\u2013\u2212\uff0d()（）"
# Address books put marks of direction around a number, and they are copied with it.
INVISIBLE: Final = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
"""Full-width forms, as a Chinese keyboard writes them, to their ASCII twins; for ``str.translate``."""

_PLAIN: Final = FULL_WIDTH | dict.fromkeys(map(ord, _SEPARATORS + INVISIBLE))


def plain(text: str) -> str:
    """Return ``text`` with full-width forms in ASCII, without spaces, hyphens, brackets and invisible marks.

    Nothing else is changed, so what is no digit stays to be refused.
    """
    return text.translate(_PLAIN)
