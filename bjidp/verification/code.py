"""The one-time code: what it is bound to, and how many tries it stands. Pure.

Owns the noun and its rules. A code is kept as a keyed digest, under a key made of all it is bound to; its time is the
record's, judged by the store's clock.
"""

from __future__ import annotations

import hmac
import re
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bjidp.clock import MINUTE, Millis
from bjidp.verification.errors import VerificationCodeExpired
from bjidp.verification.mail_address import MailAddress
from bjidp.verification.number import MobileNumber
from bjidp.verification.typed import plain

DIGITS: Final = 6

LIFETIME: Final[Millis] = 5 * MINUTE
"""A code is alive so long, whatever is tried on it (attack O8)."""

TRIES: Final = 5
"""Of a million codes so many are tried (attack O1)."""

_FORM: Final = re.compile(rf"[0-9]{{{DIGITS}}}")


class Purpose(StrEnum):
    """What a code is for. A code of one purpose is unknown to the others (attack O10)."""

    REGISTER = "register"
    LOGIN = "login"
    LINK = "link"
    """An account is bound to what somebody logs in by elsewhere, and they are logged in."""
    RECOVER = "recover"
    VERIFY = "verify"
    BIND_PHONE = "bind_phone"
    BIND_MAIL = "bind_mail"
    BANK_CARD = "bank_card"
    """The phone number that is reserved at a card's bank is proved."""
    CLAIM = "claim"
    """An account is claimed by who has its identity (``registration/claim``)."""


BY_SMS: Final = frozenset(
    {
        Purpose.REGISTER,
        Purpose.LOGIN,
        Purpose.LINK,
        Purpose.RECOVER,
        Purpose.VERIFY,
        Purpose.BIND_PHONE,
        Purpose.BANK_CARD,
        Purpose.CLAIM,
    }
)
"""What codes are sent by SMS for."""


class Channel(StrEnum):
    """How a code gets to its address."""

    SMS = "sms"
    MAIL = "mail"


class Address(Struct, frozen=True):
    """Where a code is sent; ``value`` is in the normal form of its channel."""

    channel: Channel
    value: str

    def __repr__(self) -> str:
        """Show the channel alone: the value is personal."""
        return f"Address({self.channel}, ***)"


def by_sms(number: MobileNumber) -> Address:
    """Return the address of a mobile number."""
    return Address(Channel.SMS, number.digits)


def by_mail(address: MailAddress) -> Address:
    """Return the address of a mailbox."""
    return Address(Channel.MAIL, address.text)


class Binding(Struct, frozen=True):
    """All that a code serves for. ``flow`` is an id of the server's own that the asking browser alone can name."""

    purpose: Purpose
    address: Address
    flow: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The texts that a key or a digest is made of."""
        return (self.purpose, self.address.channel, self.address.value, self.flow)


class Code(Struct, frozen=True):
    """A code as it is kept. One without tries is dead: used, or guessed at too often.

    ``owner`` tells that it was sent at the asking of the account that the address is of.
    """

    digest: bytes
    tries_left: int
    owner: bool = False


class Tried(Struct, frozen=True):
    """What becomes of a code by one try, and whether the try was right."""

    code: Code
    right: bool


_DEAD: Final = Code(b"", 0)


def issued(digest: bytes, *, owner: bool = False) -> Code:
    """Return a fresh code."""
    return Code(digest, TRIES, owner)


def require_live(code: Code) -> None:
    """Raise :class:`VerificationCodeExpired` for a dead code."""
    if code.tries_left < 1:
        raise VerificationCodeExpired


def tried(code: Code, offered: bytes) -> Tried:
    """Spend one try on ``offered``: a right one uses the code up, the last wrong one kills it.

    Raises :class:`VerificationCodeExpired` for a dead code.
    """
    require_live(code)
    if hmac.compare_digest(code.digest, offered):
        return Tried(_DEAD, right=True)
    left = code.tries_left - 1
    return Tried(Code(code.digest, left, code.owner) if left else _DEAD, right=False)


def as_typed(text: str) -> str:
    """Return the digits that somebody typed; the empty text, which is no code, for whatever is not six of them."""
    digits = plain(text)
    return digits if _FORM.fullmatch(digits) else ""
