"""The bank's one question.

Owns the shape of ``POST /v1/verify`` and the rule that debit cards alone prove anybody (RNV-4).
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from bjidp.clock import Clock
from bjidp.secret import Secret
from bjidp.vendors.bank.codes import BUSY, NOES, OK
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.registers import CardFacts, Finding, Reason, RegisterAnswer
from bjidp.vendors.signed import SignedAnswer, SignedCalls

_OPERATION: Final = "verify"
_DEBIT: Final = "DC"


class _Verify(Struct, frozen=True):
    request_id: str
    document_type: str
    name: str
    document_number: str
    card_number: str
    phone: str


class _Verified(SignedAnswer, frozen=True):
    code: str
    card_type: Literal["DC", "CC", "SCC", "PC"] | None = None
    """储蓄卡, 信用卡, 准贷记卡, 预付费卡; told beside a yes."""


class BankClient:
    """Implements :class:`bjidp.vendors.ports.registers.Bank`."""

    def __init__(self, http: VendorHttp, *, key_id: str, secret: Secret, clock: Clock) -> None:
        """Ask as the caller ``key_id``, who shares ``secret`` with the bank."""
        self._calls = SignedCalls(http, header="X-Bank", key_id=key_id, secret=secret, clock=clock)

    async def check(self, facts: CardFacts, *, reference: str) -> Finding:
        person = facts.person
        question = _Verify(reference, person.document_type, person.name, person.number, facts.card_number, facts.phone)
        answered = await self._calls.ask(_OPERATION, "/v1/verify", question, _Verified, reference=reference)
        if answered.code == BUSY:
            self._calls.busy(_OPERATION, answered.code)
        if answered.code == OK:
            return self._confirmed(answered)
        no = NOES.get(answered.code)
        if no is None:
            self._calls.unavailable(_OPERATION, answered.code)
        return Finding(*no, answered.reference)

    def _confirmed(self, answered: _Verified) -> Finding:
        if answered.card_type is None:
            self._calls.unavailable(_OPERATION, "no_card_type")
        if answered.card_type != _DEBIT:
            return Finding(RegisterAnswer.REFUSED, Reason.CARD_NOT_DEBIT, answered.reference)
        return Finding(RegisterAnswer.MATCH, None, answered.reference)
