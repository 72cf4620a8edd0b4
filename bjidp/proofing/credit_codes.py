"""统一社会信用代码 of organisations: their form and what they tell (GB 32100-2015).

Owns the rules a code must pass before the business register is asked about it. They refuse slips of the finger, not
organisations: regions and kinds come and go, so whether a well-formed code is anybody's is the register's to say. Pure;
called by the registration of organisations.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from bjidp.proofing.checksums import GB_32100_ALPHABET, gb_32100
from bjidp.proofing.faults import Fault, Unacceptable
from bjidp.verification.typed import plain

CREDIT_CODE_FIELD: Final = "credit_code"

SYNTHETIC_REGION: Final = "000000"
"""A region that GB/T 2260 never gave out: codes of the sandbox's organisations (:mod:`bjidp.proofing.ranges`)."""

_TYPED_LONGEST: Final = 64
_FORM: Final = re.compile(f"[{GB_32100_ALPHABET}]{{2}}[0-9]{{6}}[{GB_32100_ALPHABET}]{{10}}")


class CreditCode(Struct, frozen=True):
    """A code of 18 characters; :func:`credit_code` makes it. It is public, as the organisation's name is."""

    text: str

    @property
    def region(self) -> str:
        """The place of the office that registered it, six digits as on identity cards; 100000 is the whole country."""
        return self.text[2:8]


def credit_code(typed: str) -> CreditCode:
    """Read a code as people type and paste it; raise :class:`Unacceptable`.

    The standard leaves out I, O, S, V and Z; what was meant by one is not guessed at.
    """
    if len(typed) > _TYPED_LONGEST:
        raise Unacceptable(Fault.FORMAT)
    text = plain(typed)
    if not text:
        raise Unacceptable(Fault.EMPTY)
    # Before upper(), which would turn letters of other alphabets (ı, ſ) into ASCII ones (attack Q27).
    if not text.isascii():
        raise Unacceptable(Fault.FORMAT)
    text = text.upper()
    if _FORM.fullmatch(text) is None:
        raise Unacceptable(Fault.FORMAT)
    if gb_32100(text[:-1]) != text[-1]:
        raise Unacceptable(Fault.CHECK_DIGIT)
    return CreditCode(text)
