"""Mainland mobile numbers, in the one form that is counted and compared. Pure.

Owns the form. Every spelling of a number comes to the same value, or each would have a limit of its own (attack O11).
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from bjidp.verification.typed import plain

# Ranges are added over the years, and numbers keep their operator's digits when they move to another: what lies within
# is the business of whoever delivers.
_FORM: Final = re.compile(r"(?:\+86|0086|86)?(1[3-9][0-9]{9})")


class MobileNumber(Struct, frozen=True):
    """A mobile number of eleven digits; :func:`mobile_number` makes it."""

    digits: str

    def __repr__(self) -> str:
        """Show that there is one: the value is personal."""
        return "MobileNumber(***)"


def mobile_number(text: str) -> MobileNumber | None:
    """Read a number as people write it; None when it is no mainland mobile number."""
    found = _FORM.fullmatch(plain(text))
    return None if found is None else MobileNumber(found[1])
