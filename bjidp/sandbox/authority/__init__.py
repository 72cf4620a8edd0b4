"""The authority that issues documents: does this name belong to this number?

Below ``/authority``. It says yes or no for the synthetic ranges alone.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from aiohttp import web

from bjidp.sandbox.clock import Clock, Instant, beijing_date
from bjidp.sandbox.credentials import CallerKey
from bjidp.sandbox.entropy import Entropy
from bjidp.sandbox.people import DocumentType, People, is_synthetic_document
from bjidp.sandbox.registers import Counter, Judgement, Question

Result: TypeAlias = Literal["match", "mismatch", "unknown", "expired", "refused"]


class PersonQuestion(Question, frozen=True, forbid_unknown_fields=True):
    """Who somebody says they are."""

    document_type: DocumentType
    name: str
    document_number: str


class Authority:
    """Answers one caller."""

    def __init__(self, *, clock: Clock, entropy: Entropy, key: CallerKey, people: People) -> None:
        """Know ``people``, and the caller by ``key``."""
        self._people = people
        self._counter = Counter(
            clock=clock,
            entropy=entropy,
            key=key,
            header="X-Authority",
            letter="A",
            question=PersonQuestion,
            judge=self._judge,
        )

    def mount(self, app: web.Application) -> None:
        """Add the authority's route."""
        app.router.add_post("/authority/v1/check", self._counter.answer)

    def charged(self) -> list[str]:
        """Return what was charged for."""
        return self._counter.charged()

    def _judge(self, question: PersonQuestion, now: Instant) -> Judgement:
        if not is_synthetic_document(question.document_type, question.document_number):
            return Judgement({"result": "refused", "reason": "outside_range"}, charged=False)
        result, reason = self._compare(question, now)
        return Judgement({"result": result, "reason": reason})

    def _compare(self, question: PersonQuestion, now: Instant) -> tuple[Result, str | None]:
        person = self._people.holder(question.document_type, question.document_number)
        if person is None or person.registered_name is None:
            return "unknown", None
        if person.registered_name != question.name:
            return "mismatch", "name"
        if person.withdrawn:
            return "refused", "document_withdrawn"
        if person.valid_to is not None and person.valid_to < beijing_date(now):
            return "expired", "document_expired"
        return "match", None
