"""The authority's one question.

Owns the shape of ``POST /v1/check``.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bjidp.clock import Clock
from bjidp.person import Person
from bjidp.secret import Secret
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.registers import Finding
from bjidp.vendors.signed import JudgedAnswer, SignedCalls

_OPERATION: Final = "check"


class _Check(Struct, frozen=True):
    request_id: str
    document_type: str
    name: str
    document_number: str


class AuthorityClient:
    """Implements :class:`bjidp.vendors.ports.registers.Authority`."""

    def __init__(self, http: VendorHttp, *, key_id: str, secret: Secret, clock: Clock) -> None:
        """Ask as the caller ``key_id``, who shares ``secret`` with the authority."""
        self._calls = SignedCalls(http, header="X-Authority", key_id=key_id, secret=secret, clock=clock)

    async def check(self, person: Person, *, reference: str) -> Finding:
        question = _Check(reference, person.document_type, person.name, person.number)
        answered = await self._calls.ask(_OPERATION, "/v1/check", question, JudgedAnswer, reference=reference)
        return self._calls.finding(_OPERATION, answered)
