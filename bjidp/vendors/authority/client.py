"""The authority's one question, signed by us.

Owns the request's signature and the reading of the answer. The signature is HMAC-SHA256 (RFC 2104) over the time in
whole seconds, a line feed and the body's bytes, so that a recorded request is stale soon and can't be altered.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from bjidp.clock import SECOND, Clock
from bjidp.person import Person
from bjidp.secret import Secret
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports import AuthorityAnswer, AuthorityFinding

_OPERATION: Final = "check"


class _Check(Struct, frozen=True):
    document_type: str
    name: str
    document_number: str


class _Finding(Struct, frozen=True):
    result: AuthorityAnswer
    reference: Annotated[str, Meta(min_length=1, max_length=128)]
    reason: Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,64}\Z")] | None = None


class AuthorityClient:
    """Implements :class:`bjidp.vendors.ports.Authority`."""

    def __init__(self, http: VendorHttp, *, key_id: str, secret: Secret, clock: Clock) -> None:
        """Ask as the caller ``key_id``, who shares ``secret`` with the authority."""
        self._http = http
        self._key_id = key_id
        self._secret = secret
        self._clock = clock

    async def check(self, person: Person) -> AuthorityFinding:
        body = msgspec.json.encode(_Check(person.document_type, person.name, person.number))
        timestamp = str(self._clock.now() // SECOND)
        finding = await self._http.json(
            _OPERATION,
            "POST",
            "/v1/check",
            _Finding,
            body=body,
            headers={
                "X-Authority-Key": self._key_id,
                "X-Authority-Timestamp": timestamp,
                "X-Authority-Signature": signature(self._secret, timestamp, body),
            },
        )
        return AuthorityFinding(finding.result, finding.reason, finding.reference)


def signature(secret: Secret, timestamp: str, body: bytes) -> str:
    """Return the hexadecimal HMAC-SHA256 over ``timestamp``, a line feed and ``body``."""
    return hmac.new(secret.reveal(), timestamp.encode() + b"\n" + body, hashlib.sha256).hexdigest()
