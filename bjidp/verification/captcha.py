"""The image captcha: what it shows, and when what was typed is right. Pure.

Owns the noun and its rules. It shows four digits, as in the pictures of the manual. Its time is the record's, judged by
the store's clock.
"""

from __future__ import annotations

import hmac
import re
from typing import Final

from msgspec import Struct

from bjidp.clock import MINUTE, Millis
from bjidp.verification.typed import plain

DIGITS: Final = 4

LIFETIME: Final[Millis] = 5 * MINUTE
"""Time enough to fill in the longest form above it."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")
"""128 bits in base64url."""

_FORM: Final = re.compile(rf"[0-9]{{{DIGITS}}}")


class Captcha(Struct, frozen=True):
    """A captcha as it is kept. ``picture`` is a PNG; ``voice`` is what the sound is varied by."""

    answer: str
    picture: bytes
    voice: bytes

    def __repr__(self) -> str:
        """Show nothing of it: whoever reads a log must not get past it."""
        return "Captcha(***)"


def is_id(text: str) -> bool:
    """Tell whether ``text`` can be the id of a captcha."""
    return _ID.fullmatch(text) is not None


def is_right(captcha: Captcha, typed: str) -> bool:
    """Tell whether ``typed`` is what the captcha shows, in any spelling of its digits."""
    return hmac.compare_digest(captcha.answer.encode(), as_typed(typed).encode())


def as_typed(text: str) -> str:
    """Return the digits that somebody typed; the empty text, which no captcha shows, for whatever is not four."""
    digits = plain(text)
    return digits if _FORM.fullmatch(digits) else ""
