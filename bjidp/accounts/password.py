"""What a password is made of (REG-1, REC-1): the same rule wherever one is set. Pure.

Owns the rule. How a password is kept is another's business, and which one it is nobody's.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

SHORTEST: Final = 8
LONGEST: Final = 20

KINDS: Final = 2
"""Of letters, digits and special characters, so many are combined."""

# What every keyboard has. A full-width form or a letter with a mark may be typed in two ways that look the same, and
# only one of them would log in.
_CHARACTERS: Final = re.compile(r"[\x21-\x7e]*")
_KINDS: Final = (re.compile(r"[A-Za-z]"), re.compile(r"[0-9]"), re.compile(r"[^A-Za-z0-9]"))


class PasswordFault(StrEnum):
    """What is wrong with a password: the first of these that is."""

    LENGTH = "length"
    CHARACTER = "character"
    KINDS = "kinds"


def password_fault(password: str) -> PasswordFault | None:
    """Return what keeps ``password`` from being one, or None."""
    if not SHORTEST <= len(password) <= LONGEST:
        return PasswordFault.LENGTH
    if not _CHARACTERS.fullmatch(password):
        return PasswordFault.CHARACTER
    if sum(kind.search(password) is not None for kind in _KINDS) < KINDS:
        return PasswordFault.KINDS
    return None
