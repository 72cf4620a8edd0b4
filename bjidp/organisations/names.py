"""Names of organisations: what is accepted, and how one is kept. Pure.

Owns what a keyboard adds and a register does not have: blanks, half-width brackets in a Chinese name, full-width
letters and digits. Whether the name is right is the register's to say, which compares it as it is written there.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from bjidp.proofing.characters import SPACES, is_han
from bjidp.proofing.faults import Fault, Unacceptable
from bjidp.verification.typed import FULL_WIDTH

NAME_FIELD: Final = "organisation_name"

LONGEST: Final = 120
"""Code points; names of organisations have no limit of law, and the longest that are known have fewer."""

_TYPED_LONGEST: Final = 4 * LONGEST
_SPACE: Final = re.compile(f"[{SPACES}]+")
_LETTERS: Final = {code: plain for code, plain in FULL_WIDTH.items() if chr(plain).isalnum()}
_BRACKETS: Final = str.maketrans("()", "（）")
_REFUSED: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})
"""Controls, invisible marks, halves of characters, nothing at all: no name has them, and none is dropped silently."""


def organisation_name(typed: str) -> str:
    """Return the name as it is kept; raise :class:`Unacceptable`."""
    if len(typed) > _TYPED_LONGEST:
        raise Unacceptable(Fault.TOO_LONG)
    name = typed.translate(_LETTERS).strip(SPACES)
    chinese = any(is_han(character) for character in name)
    # 北京 青禾 has a space typed for looks; in a Latin name the space separates words.
    name = _SPACE.sub("" if chinese else " ", name)
    if chinese:
        name = name.translate(_BRACKETS)
    if not name:
        raise Unacceptable(Fault.EMPTY)
    if len(name) > LONGEST:
        raise Unacceptable(Fault.TOO_LONG)
    if any(unicodedata.category(character) in _REFUSED for character in name):
        raise Unacceptable(Fault.CHARACTER)
    return name
