"""Bank cards: the form of their numbers, what kind of card one is, and what may be kept of it (RNV-4).

Owns the rules a number must pass before the bank is asked about it. Only debit cards prove anybody; whether an unknown
number is one, the bank says. Of a number that was asked about, its last four digits may be kept and shown, and no more.
Pure; called by the bank-card check.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from bjidp.proofing.card_bins import CardType, card_type
from bjidp.proofing.checksums import luhn
from bjidp.proofing.faults import Fault, Unacceptable
from bjidp.verification.typed import plain

CARD_FIELD: Final = "card_number"

_TYPED_LONGEST: Final = 64
_FORM: Final = re.compile(r"[1-9][0-9]{14,18}")


class BankCard(Struct, frozen=True):
    """A card's number: 15 to 19 digits; :func:`bank_card` makes it."""

    digits: str

    @property
    def type(self) -> CardType | None:
        """What kind of card it is; None when only the bank knows."""
        return card_type(self.digits)

    @property
    def may_be_debit(self) -> bool:
        """Whether it is worth asking the bank: 仅支持借记卡认证，暂不支持信用卡."""
        return self.type in {None, CardType.DEBIT}

    @property
    def check_digit_doubtful(self) -> bool:
        """Whether its last digit is not the one most banks would give it: a hint after a no, and no reason for one."""
        return luhn(self.digits[:-1]) != self.digits[-1]

    def __repr__(self) -> str:
        """Show that there is one: the value is personal."""
        return "BankCard(***)"


def bank_card(typed: str) -> BankCard:
    """Read a number as people type and paste it; raise :class:`Unacceptable`.

    Some banks give their cards another last digit than the usual one (ISO/IEC 7812-1), so a wrong one is taken for a
    slip only where the number begins with nothing that is known here.
    """
    if len(typed) > _TYPED_LONGEST:
        raise Unacceptable(Fault.FORMAT)
    digits = plain(typed)
    if not digits:
        raise Unacceptable(Fault.EMPTY)
    if _FORM.fullmatch(digits) is None:
        raise Unacceptable(Fault.FORMAT)
    card = BankCard(digits)
    if card.type is None and card.check_digit_doubtful:
        raise Unacceptable(Fault.CHECK_DIGIT)
    return card
