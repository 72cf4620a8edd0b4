"""Which mobile numbers and mail addresses this deployment serves: real ones or the sandbox's, never both.

What could be a real person's is refused beside the sandbox, so that no code for it ever reaches a stand-in; what
belongs to nobody is refused in production. Every number and address that somebody types, or that a platform tells,
passes here before anything is done with it. Pure; ``bootstrap`` chooses.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from bjidp.errors import FieldFault, InvalidRequest
from bjidp.verification.mail_address import MailAddress
from bjidp.verification.number import MobileNumber

PHONE_FIELD: Final = "phone"
MAIL_FIELD: Final = "mail"

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


_NOBODYS: Final = ".example"
"""Reserved for ever (RFC 2606, section 2)."""


def is_synthetic_mail(address: MailAddress) -> bool:
    """Tell whether the address is one of the sandbox's, which nobody has."""
    return address.domain.endswith(_NOBODYS)


class MailRange(StrEnum):
    """The mail addresses a deployment serves."""

    REAL = "real"
    SYNTHETIC = "synthetic"

    def admit(self, address: MailAddress, field: str = MAIL_FIELD) -> None:
        """Raise :class:`InvalidRequest` for ``field`` when the address is not served here."""
        if is_synthetic_mail(address) != (self is MailRange.SYNTHETIC):
            raise InvalidRequest(FieldFault(field, NOT_SERVED))
