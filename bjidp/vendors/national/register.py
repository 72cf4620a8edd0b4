"""Making a user at 国家政务服务平台 by a proved identity.

Owns the one call, with every name in it as it is set. Name, number and phone are encrypted together; beside them the
platform is told our reference alone, which says nothing of the account.
"""

from __future__ import annotations

from typing import Final, NoReturn

import msgspec

from bjidp.clock import Clock
from bjidp.errors import VendorUnavailable
from bjidp.person import DocumentType, Person
from bjidp.vendors.ecb import read_key, sealed
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.national.answers import proof, text_at
from bjidp.vendors.ports.registers import NationalAnswer
from bjidp.vendors.settings import NationalRegisterSettings

_OPERATION: Final = "register"

CERTIFICATE_TYPES: Final = {
    DocumentType.RESIDENT_ID: "1",
    DocumentType.TAIWAN_PERMIT: "4",
    DocumentType.MACAO_PERMIT: "7",
    DocumentType.HK_PERMIT: "8",
    DocumentType.PERMANENT_RESIDENT: "9",
}
"""``certNoType``, as Beijing's platform numbers documents."""


class NationalRegisterClient:
    """Implements :class:`bjidp.vendors.ports.registers.NationalRegister`."""

    def __init__(self, http: VendorHttp, *, settings: NationalRegisterSettings, clock: Clock) -> None:
        """Ask ``http``, whose base URL is the whole address; raise :class:`ValueError` for no key."""
        self._http = http
        self._settings = settings
        self._key = read_key(settings.client_secret)
        self._clock = clock

    async def register(self, person: Person, phone: str, *, reference: str) -> NationalAnswer:
        told = self._settings
        certificate = {
            "certName": person.name,
            "certNo": person.number,
            "certNoType": CERTIFICATE_TYPES[person.document_type],
            "mobile": phone,
        }
        form = {
            "client_id": told.client_id,
            "auth_token": proof(told.client_id, told.client_secret, self._key, told.cipher, self._clock.now()),
            told.reference_parameter: reference,
            told.person_parameter: sealed(msgspec.json.encode(certificate).decode(), self._key, told.cipher),
        }
        answer = await self._http.json(_OPERATION, "POST", "", dict[str, object], form=form)
        status = text_at(answer, told.status)
        if status in told.known:
            return NationalAnswer.KNOWN
        if status in told.refused:
            self._http.refused(_OPERATION, status)
            return NationalAnswer.REFUSED
        if status != "0":
            self._lying(status or "no_status")
        if told.echo and text_at(answer, told.echo) != reference:
            self._lying("foreign_answer")
        return NationalAnswer.JOINED

    def _lying(self, reason: str) -> NoReturn:
        self._http.alarm(_OPERATION, reason)
        raise VendorUnavailable
