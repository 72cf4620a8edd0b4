"""Making users of the platform: ``doUserRegisterByCertInfo``.

The path is public by its name alone; what it is sent here is this stand-in's own, in the manner of the platform's other
calls. A call repeated under its ``request_id`` is answered as it was the first time, whatever it says by then: the
caller never heard the answer, and the person may have another number meanwhile.
"""

from __future__ import annotations

from typing import Final

import msgspec
from aiohttp import web
from msgspec import Struct

from bjidp.sandbox.entropy import Entropy, hexadecimal
from bjidp.sandbox.national.caller import CERT_TYPES, Answer, Caller, Refused, fields, reply
from bjidp.sandbox.people import People, is_synthetic_document
from bjidp.sandbox.people.numbers import is_synthetic_phone
from bjidp.sandbox.settings import NationalRules

KNOWN: Final = 20001
REFUSED: Final = 20002

_DOCUMENTS: Final = {number: document for document, number in CERT_TYPES.items()}


class CertInfo(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to be a user."""

    certName: str  # noqa: N815 - the platform's spelling
    certNo: str  # noqa: N815
    certNoType: str  # noqa: N815
    mobile: str


class Register:
    """Takes users from one caller."""

    def __init__(self, *, caller: Caller, entropy: Entropy, rules: NationalRules, people: People) -> None:
        """Know ``people``, some of whom are users already."""
        self._caller = caller
        self._entropy = entropy
        self._people = people
        users = (people.find(person) for person in rules.users)
        self._users = {(person.document_type, person.document_number) for person in users if person is not None}
        self._answered: dict[str, Answer] = {}

    def mount(self, app: web.Application) -> None:
        """Add the call."""
        app.router.add_post("/national/open/api/register/doUserRegisterByCertInfo", self.register)

    def registered(self) -> list[str]:
        """Return the ``request_id`` of every user that was made, oldest first."""
        return [request_id for request_id, said in self._answered.items() if said["meta"]["code"] == 0]

    async def register(self, request: web.Request) -> web.StreamResponse:
        """Make a user, or say why not."""
        form = await fields(request)
        try:
            self._caller.check(form)
            told = self._read(form)
        except Refused as refused:
            return reply(refused.answer)
        request_id = form["request_id"]
        said = self._answered.get(request_id)
        if said is None:
            said = self._answered[request_id] = self._answer(request_id, told)
        return reply(said)

    def _read(self, form: dict[str, str]) -> CertInfo:
        if not form.get("request_id"):
            raise Refused(10001, "参数错误")
        try:
            return msgspec.json.decode(self._caller.decrypted(form.get("cert_info", "")), type=CertInfo)
        except ValueError:
            raise Refused(10001, "参数错误") from None

    def _answer(self, request_id: str, told: CertInfo) -> Answer:
        document = _DOCUMENTS.get(told.certNoType)
        if document is None or not is_synthetic_document(document, told.certNo) or not is_synthetic_phone(told.mobile):
            return Refused(REFUSED, "证件信息核验不通过").answer
        person = self._people.holder(document, told.certNo)
        if person is None or person.registered_name != told.certName:
            return Refused(REFUSED, "证件信息核验不通过").answer
        who = (document, told.certNo)
        if who in self._users:
            return Refused(KNOWN, "用户已注册").answer
        self._users.add(who)
        data = {"uniqueId": hexadecimal(self._entropy, 32), "request_id": request_id}
        return {"meta": {"code": 0, "message": "success"}, "data": data}
