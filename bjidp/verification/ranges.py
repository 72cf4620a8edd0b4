"""Which mobile numbers this deployment serves: real ones or the sandbox's, never both.

What could be a real person's number is refused beside the sandbox, so that no code for it ever reaches a stand-in; what
belongs to nobody is refused in production. Every number that somebody types, or that a platform tells, passes here
before anything is done with it. Pure; ``bootstrap`` chooses.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from bjidp.errors import FieldFault, InvalidRequest
from bjidp.verification.number import MobileNumber

PHONE_FIELD: Final = "phone"

NOT_SERVED: Final = "not_served"
"""The fault of a number that is well-formed and of the other kind, as of a document's."""

_SYNTHETIC: Final = "154"
"""Assigned to no operator (wire.md 5)."""


def is_synthetic(number: MobileNumber) -> bool:
    """Tell whether the number is one of the sandbox's, which nobody has."""
    return number.digits.startswith(_SYNTHETIC)


class NumberRange(StrEnum):
    """The numbers a deployment serves."""

    REAL = "real"
    SYNTHETIC = "synthetic"

    def admit(self, number: MobileNumber, field: str = PHONE_FIELD) -> None:
        """Raise :class:`InvalidRequest` for ``field`` when the number is not served here."""
        if is_synthetic(number) != (self is NumberRange.SYNTHETIC):
            raise InvalidRequest(FieldFault(field, NOT_SERVED))
