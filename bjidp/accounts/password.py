"""What a password is made of (REG-1, REC-1), and which ones anybody would try: the same rule wherever one is set. Pure.

Owns the rule. How a password is kept is another's business, and which one it is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from importlib.resources import files
from itertools import pairwise
from typing import Final

SHORTEST: Final = 8
LONGEST: Final = 20

KINDS: Final = 2
"""Of letters, digits and special characters, so many are combined."""

UNFORESEEN: Final = 4
"""Characters of a password that differ, and that do not follow from the one before, at the least."""

NAMED: Final = 6
"""Characters of a name that make it one: a shorter one is in a password by chance."""

# What every keyboard has. A full-width form or a letter with a mark may be typed in two ways that look the same, and
# only one of them would log in.
_CHARACTERS: Final = re.compile(r"[\x21-\x7e]*")
_KINDS: Final = (re.compile(r"[A-Za-z]"), re.compile(r"[0-9]"), re.compile(r"[^A-Za-z0-9]"))

_ROWS: Final = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "!@#$%^&*()")
_FORESEEN: Final = frozenset(pair for row in _ROWS for way in (row, row[::-1]) for pair in pairwise(way))

_LEAKED: Final = frozenset(
    line
    for line in (files(__package__) / "leaked_passwords.txt").read_text(encoding="ascii").split("\n")
    if line and not line.startswith("# ")
)

# What is no better for a year, a number or a sign before or after it.
# fmt: off
_WORDS: Final = frozenset((
    "admin", "administrator", "welcome", "password", "passwd", "passw", "qwerty", "iloveyou", "login", "letmein",
    "test", "user", "root", "woaini", "aini", "nihao", "mima", "beijing", "shanghai", "zhongguo", "china",
    "woshishui", "haha", "jingtong", "zhangsan", "lisi", "wangwu", "xiaoming", "zhang", "wang", "li", "chen", "liu",
))
# fmt: on
_ALIKE: Final = str.maketrans("01345@$", "oieasas")
_OUTSIDE: Final = re.compile(r"^[^a-z]+|[^a-z]+$")


class PasswordFault(StrEnum):
    """What is wrong with a password: the first of these that is."""

    LENGTH = "length"
    CHARACTER = "character"
    KINDS = "kinds"
    NAMED = "named"
    """A name of the account is in it."""
    REGULAR = "regular"
    """It goes on as it begins: ``abcd1234``, ``a1a1a1a1``."""
    LEAKED = "leaked"
    """It is among those that are tried first."""


def password_fault(password: str, names: Iterable[str] = ()) -> PasswordFault | None:
    """Return what keeps ``password`` from being one, or None; ``names`` are those of its account."""
    if not SHORTEST <= len(password) <= LONGEST:
        return PasswordFault.LENGTH
    if not _CHARACTERS.fullmatch(password):
        return PasswordFault.CHARACTER
    if sum(kind.search(password) is not None for kind in _KINDS) < KINDS:
        return PasswordFault.KINDS
    small = password.lower()
    if any(len(name) >= NAMED and name.lower() in small for name in names):
        return PasswordFault.NAMED
    if min(len(set(small)), 1 + sum(not _follows(*pair) for pair in pairwise(small))) < UNFORESEEN:
        return PasswordFault.REGULAR
    if small in _LEAKED or _core(small) in _WORDS:
        return PasswordFault.LEAKED
    return None


def _follows(before: str, character: str) -> bool:
    return character == before or (before, character) in _FORESEEN


def _core(small: str) -> str:
    """Return the word that a password dresses up: ``p@ssw0rd!2024`` is ``password``."""
    return _OUTSIDE.sub("", _OUTSIDE.sub("", small).translate(_ALIKE))
