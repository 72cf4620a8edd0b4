"""The business register: does an organisation exist under this code and name, and who is its 法定代表人?

Below ``/register``. It says yes or no for the synthetic ranges alone.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from aiohttp import web
from msgspec import Struct

from bjidp.sandbox.business_register import codes
from bjidp.sandbox.business_register.organisations import (
    Organisation,
    OrganisationStory,
    PublicOrganisation,
    organisations,
)
from bjidp.sandbox.clock import Clock, Instant, beijing_date
from bjidp.sandbox.credentials import CallerKey
from bjidp.sandbox.entropy import Entropy
from bjidp.sandbox.people import DocumentType, People, is_synthetic_document
from bjidp.sandbox.registers import Counter, Judgement, Question

__all__ = ["BusinessRegister", "Organisation", "OrganisationStory", "PublicOrganisation"]

Result: TypeAlias = Literal["match", "mismatch", "unknown", "expired", "refused"]


class Representative(Struct, frozen=True, forbid_unknown_fields=True):
    """Who says that they lead the organisation."""

    document_type: DocumentType
    name: str
    document_number: str


class OrganisationQuestion(Question, frozen=True, forbid_unknown_fields=True):
    """An organisation, and who says that they lead it."""

    credit_code: str
    name: str
    representative: Representative


class BusinessRegister:
    """Answers one caller."""

    def __init__(self, *, clock: Clock, entropy: Entropy, key: CallerKey, people: People) -> None:
        """Know the organisations that ``people`` lead, and the caller by ``key``."""
        self._people = people
        self._organisations = organisations()
        self._by_code = {known.credit_code: known for known in self._organisations.values()}
        self._counter = Counter(
            clock=clock,
            entropy=entropy,
            key=key,
            header="X-Register",
            letter="R",
            question=OrganisationQuestion,
            judge=self._judge,
        )

    def mount(self, app: web.Application) -> None:
        """Add the register's route."""
        app.router.add_post("/register/v1/check", self._counter.answer)

    def all(self) -> list[Organisation]:
        """Return every organisation in the order they are listed."""
        return list(self._organisations.values())

    def charged(self) -> list[str]:
        """Return what was charged for."""
        return self._counter.charged()

    def _judge(self, question: OrganisationQuestion, now: Instant) -> Judgement:
        person = question.representative
        synthetic = is_synthetic_document(person.document_type, person.document_number)
        if not (synthetic and codes.is_synthetic(question.credit_code)):
            return Judgement({"result": "refused", "reason": "outside_range"}, charged=False)
        result, reason = self._compare(question, now)
        return Judgement({"result": result, "reason": reason})

    def _compare(self, question: OrganisationQuestion, now: Instant) -> tuple[Result, str | None]:
        known = self._by_code.get(question.credit_code)
        if known is None or not known.registered:
            return "unknown", None
        if known.registered_name != question.name:
            return "mismatch", "organisation_name"
        if not self._leads(question.representative, known):
            return "mismatch", "representative"
        if known.status != "active":
            return "refused", f"organisation_{known.status}"
        if known.term_to is not None and known.term_to < beijing_date(now):
            return "expired", "organisation_term_over"
        return "match", None

    def _leads(self, stated: Representative, known: Organisation) -> bool:
        person = self._people.find(known.registered_representative)
        return person is not None and (stated.document_type, stated.document_number, stated.name) == (
            person.document_type,
            person.document_number,
            person.name,
        )
