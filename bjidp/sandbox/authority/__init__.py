"""The authority that issues documents: does this name belong to this number?

Below ``/authority``. No public document tells the real one's form, so this one is the project's own: a JSON call whose
raw body is signed together with the time by a shared key. It answers only for the synthetic ranges.
"""

from __future__ import annotations

import hmac
import json
import re
from typing import Final, Literal, TypeAlias

import msgspec
from aiohttp import web
from msgspec import Struct

from bjidp.sandbox.clock import MINUTE, SECOND, Clock, Instant, beijing_date
from bjidp.sandbox.credentials import AuthorityKey
from bjidp.sandbox.entropy import Entropy, hexadecimal
from bjidp.sandbox.people import DocumentType, People, is_synthetic_document

Result: TypeAlias = Literal["match", "mismatch", "unknown", "expired", "refused"]

_TOLERANCE: Final = 5 * MINUTE
_TIMESTAMP: Final = re.compile(r"\d{1,12}", re.ASCII)


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """Who somebody says they are."""

    document_type: DocumentType
    name: str
    document_number: str


class Authority:
    """Answers one caller."""

    def __init__(self, *, clock: Clock, entropy: Entropy, key: AuthorityKey, people: People) -> None:
        """Know ``people``, and the caller by ``key``."""
        self._clock = clock
        self._entropy = entropy
        self._key = key
        self._people = people

    def mount(self, app: web.Application) -> None:
        """Add the authority's route."""
        app.router.add_post("/authority/v1/check", self.check)

    async def check(self, request: web.Request) -> web.StreamResponse:
        """Answer ``POST /authority/v1/check``."""
        now = self._clock.now()
        body = await request.read()
        if not self._is_signed(request, body, now):
            return _json({"error": "signature"}, status=401)
        try:
            question = msgspec.json.decode(body, type=Question)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _json({"error": "request"}, status=400)
        result, reason = self._judge(question, now)
        reference = f"A{beijing_date(now):%Y%m%d}{hexadecimal(self._entropy, 16)}"
        return _json({"result": result, "reason": reason, "reference": reference})

    def _is_signed(self, request: web.Request, body: bytes, now: Instant) -> bool:
        headers = request.headers
        timestamp = headers.get("X-Authority-Timestamp", "")
        if headers.get("X-Authority-Key") != self._key.key_id or not _TIMESTAMP.fullmatch(timestamp):
            return False
        if abs(now - int(timestamp) * SECOND) > _TOLERANCE:
            return False
        expected = signature(self._key.secret, timestamp, body)
        given = headers.get("X-Authority-Signature", "")
        return hmac.compare_digest(given.encode(errors="replace"), expected.encode())

    def _judge(self, question: Question, now: Instant) -> tuple[Result, str | None]:
        if not is_synthetic_document(question.document_type, question.document_number):
            return "refused", "outside_range"
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


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a call: hex HMAC-SHA256 over the timestamp, a line feed and the raw body."""
    return hmac.digest(secret.encode(), timestamp.encode() + b"\n" + body, "sha256").hex()


def _json(body: dict[str, str | None], *, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(body), status=status, content_type="application/json")
