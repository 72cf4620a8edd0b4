"""Usernames: those the system makes (REG-3, REG-7) and those people choose (REG-1, ACC-6).

Owns the form of both. The system's are ``bjt_`` and eleven random digits that are no telephone number. A mobile number
starts with 1 and a landline with its area code with 0, both of eleven digits too, so the first digit is 2 to 9.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from bjidp.entropy import Entropy, digits

PREFIX = "bjt_"
DIGITS = 11

SHORTEST: Final = 6
LONGEST: Final = 20
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9_]*")


class UsernameFault(StrEnum):
    """What is wrong with a name that somebody chose: the first of these that is."""

    LENGTH = "length"
    FIRST = "first"
    """It does not begin with a letter, so that no name looks like a telephone or document number."""
    CHARACTER = "character"
    RESERVED = "reserved"
    """It has the form of a name made by the system."""


def username_fault(username: str) -> UsernameFault | None:
    """Return what keeps somebody from choosing ``username``, or None: 6 to 20 letters, digits and underscores.

    Whether it is free is the store's to decide.
    """
    if not SHORTEST <= len(username) <= LONGEST:
        return UsernameFault.LENGTH
    if not (username[0].isascii() and username[0].isalpha()):
        return UsernameFault.FIRST
    if not _CHARACTERS.fullmatch(username):
        return UsernameFault.CHARACTER
    # Names are compared without regard to case, so this one is too.
    return UsernameFault.RESERVED if is_system_username(username.lower()) else None


def system_username(entropy: Entropy) -> str:
    """Return a new name, every one of the 80 thousand million equally likely; uniqueness is the store's to decide."""
    while True:
        number = digits(entropy, DIGITS)
        if number[0] not in "01":
            return PREFIX + number


def is_system_username(username: str) -> bool:
    """Tell whether ``username`` has the form of a name made by the system; nobody may choose such a name."""
    number = username.removeprefix(PREFIX)
    return len(username) == len(PREFIX) + DIGITS and len(number) == DIGITS and number.isascii() and number.isdigit()
