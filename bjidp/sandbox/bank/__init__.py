"""The banks' common door: do a person, a card and the phone number reserved for it belong together?

Below ``/bank``. Its codes are those of Tencent Cloud's four-factor check (``BankCard4EVerification``), and so is which
of them are charged for; ``card_type`` beside a yes is the project's own: ``DC`` 储蓄卡, ``CC`` 信用卡. That a card is
lost, nobody is told but its holder; that the phone number differs, no code of its own tells.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from aiohttp import web

from bjidp.sandbox.clock import SECOND, Clock, Instant, beijing_date
from bjidp.sandbox.credentials import CallerKey
from bjidp.sandbox.entropy import Entropy
from bjidp.sandbox.people import DocumentType, People, is_synthetic_document
from bjidp.sandbox.people.numbers import CREDIT, has_synthetic_issuer, is_synthetic_card, is_synthetic_phone
from bjidp.sandbox.registers import Counter, Judgement, OutsideRange, Question
from bjidp.sandbox.settings import BankRules

_OK: Final = "0"
_FAILED: Final = "-1"
_NO_CARD_NUMBER: Final = "-4"
_OTHER_HOLDER: Final = "-6"
_INVALID_CARD: Final = "-9"
_LOST: Final = "-13"
_EXPIRED: Final = "-14"
_BUSY: Final = "-18"


class CardQuestion(Question, frozen=True, forbid_unknown_fields=True):
    """The four factors."""

    document_type: DocumentType
    name: str
    document_number: str
    card_number: str
    phone: str


class Bank:
    """Answers one caller."""

    def __init__(self, *, clock: Clock, entropy: Entropy, key: CallerKey, rules: BankRules, people: People) -> None:
        """Know the cards of ``people``, and the caller by ``key``."""
        self._rules = rules
        self._people = people
        self._calls: deque[Instant] = deque()
        self._counter = Counter(
            clock=clock,
            entropy=entropy,
            key=key,
            header="X-Bank",
            letter="B",
            question=CardQuestion,
            judge=self._judge,
        )

    def mount(self, app: web.Application) -> None:
        """Add the bank's route."""
        app.router.add_post("/bank/v1/verify", self._counter.answer)

    def charged(self) -> list[str]:
        """Return what was charged for."""
        return self._counter.charged()

    def _judge(self, question: CardQuestion, now: Instant) -> Judgement:
        if not (
            is_synthetic_document(question.document_type, question.document_number)
            and has_synthetic_issuer(question.card_number)
            and is_synthetic_phone(question.phone)
        ):
            raise OutsideRange
        if self._is_busy(now):
            return Judgement({"code": _BUSY, "card_type": None}, charged=False, remembered=False)
        if not is_synthetic_card(question.card_number):
            return Judgement({"code": _NO_CARD_NUMBER, "card_type": None}, charged=False)
        code = self._compare(question, now)
        card_type = "CC" if question.card_number.startswith(CREDIT) else "DC"
        return Judgement({"code": code, "card_type": card_type if code == _OK else None})

    def _compare(self, question: CardQuestion, now: Instant) -> str:
        holder = self._people.card_holder(question.card_number)
        if holder is None:
            return _INVALID_CARD
        document = (question.document_type, question.document_number)
        if document != (holder.document_type, holder.document_number) or question.name != holder.name:
            return _OTHER_HOLDER
        if question.phone != holder.bank_phone:
            return _FAILED
        if holder.cards_lost:
            return _LOST
        if holder.cards_valid_to is not None and holder.cards_valid_to < beijing_date(now):
            return _EXPIRED
        return _OK

    def _is_busy(self, now: Instant) -> bool:
        while self._calls and self._calls[0] <= now - SECOND:
            self._calls.popleft()
        if len(self._calls) >= self._rules.calls_a_second:
            return True
        self._calls.append(now)
        return False
