"""The business register's one question.

Owns the shape of ``POST /v1/check``.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bjidp.clock import Clock
from bjidp.secret import Secret
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.registers import Finding, OrganisationFacts
from bjidp.vendors.signed import JudgedAnswer, SignedCalls

_OPERATION: Final = "check"


class _Representative(Struct, frozen=True):
    document_type: str
    name: str
    document_number: str


class _Check(Struct, frozen=True):
    request_id: str
    credit_code: str
    name: str
    representative: _Representative


class BusinessRegisterClient:
    """Implements :class:`bjidp.vendors.ports.registers.BusinessRegister`."""

    def __init__(self, http: VendorHttp, *, key_id: str, secret: Secret, clock: Clock) -> None:
        """Ask as the caller ``key_id``, who shares ``secret`` with the register."""
        self._calls = SignedCalls(http, header="X-Register", key_id=key_id, secret=secret, clock=clock)

    async def check(self, facts: OrganisationFacts, *, reference: str) -> Finding:
        person = facts.representative
        question = _Check(
            reference,
            facts.credit_code,
            facts.name,
            _Representative(person.document_type, person.name, person.number),
        )
        answered = await self._calls.ask(_OPERATION, "/v1/check", question, JudgedAnswer, reference=reference)
        return self._calls.finding(_OPERATION, answered)
