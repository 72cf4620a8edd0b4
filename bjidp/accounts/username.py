"""Usernames the system makes (REG-3, REG-7).

Owns their form: ``bjt_`` and eleven random digits that are no telephone number. A mobile number starts with 1 and a
landline with its area code with 0, both of eleven digits too, so the first digit is 2 to 9.
"""

from __future__ import annotations

from bjidp.entropy import Entropy, digits

PREFIX = "bjt_"
DIGITS = 11


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
