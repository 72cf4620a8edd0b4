"""Which field an error is told beside (UX-5).

Owns the errors that more than one form has; what a form has beside them it hands in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from bjidp.errors import BjidpError, InvalidRequest
from bjidp.verification.errors import CaptchaWrong, VerificationCodeExpired, VerificationCodeWrong

Beside: TypeAlias = Mapping[type[BjidpError], tuple[str, str]]
"""The field, and which words of ``fault.<field>.*``."""

BUTTON: Final = "act"
"""Names the button that was pressed; nothing can be told beside it."""

_BESIDE: Final[Beside] = {
    CaptchaWrong: ("captcha", "wrong"),
    VerificationCodeExpired: ("code", "expired"),
}

_WRONG_CODE: Final = {0: "spent", 1: "last"}
"""What is told of a wrong code by how many tries are left at it."""


def field_faults(error: BjidpError | None, beside: Beside | None = None) -> dict[str, str]:
    """Return what is told beside which field; nothing for an error that is about the form as a whole."""
    if isinstance(error, InvalidRequest):
        # The first of a field stands.
        return {fault.field: fault.code for fault in reversed(error.errors) if fault.field != BUTTON}
    if isinstance(error, VerificationCodeWrong):
        return {"code": _WRONG_CODE.get(error.tries_left, "wrong")}
    found = None if error is None else {**_BESIDE, **(beside or {})}.get(type(error))
    return {} if found is None else dict([found])
