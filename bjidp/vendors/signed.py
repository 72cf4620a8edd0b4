"""The wire that the registers share: JSON signed by us, answered under the reference that was asked about.

Owns the signature and the comparison of references. Called by the clients of the authority, the bank and the business
register. The signature is HMAC-SHA256 (RFC 2104) over the time in whole seconds, a line feed and the body's bytes, so
that a recorded question is stale soon and can't be altered.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Final, NoReturn, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Struct

from bjidp.audit.event import CODE
from bjidp.clock import SECOND, Clock
from bjidp.errors import VendorUnavailable
from bjidp.secret import Secret
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.registers import Finding, Reason, RegisterAnswer

Word: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,64}\Z")]

_REASONS: Final = {reason.value: reason for reason in Reason}


class SignedAnswer(Struct, frozen=True):
    """What every answer begins with."""

    request_id: str
    """Ours, repeated."""
    reference: Annotated[str, Meta(pattern=rf"^{CODE}\Z")]
    """The register's own: one that the audit keeps whole, since by it alone the register finds the question again."""


class JudgedAnswer(SignedAnswer, frozen=True):
    """An answer in the registers' own words, which are ours."""

    result: RegisterAnswer
    reason: Word | None = None


A = TypeVar("A", bound=SignedAnswer)


class SignedCalls:
    """Asks one register as one caller."""

    def __init__(self, http: VendorHttp, *, header: str, key_id: str, secret: Secret, clock: Clock) -> None:
        """Sign as ``key_id``, who shares ``secret`` with the register; ``header`` begins the three headers' names."""
        self._http = http
        self._header = header
        self._key_id = key_id
        self._secret = secret
        self._clock = clock

    async def ask(self, operation: str, path: str, question: Struct, answer: type[A], *, reference: str) -> A:
        """Send ``question``, whose ``request_id`` is ``reference``; raise ``VendorUnavailable``.

        What is answered under another reference is of another question, and counts for nothing (attack B2).
        """
        body = msgspec.json.encode(question)
        timestamp = str(self._clock.now() // SECOND)
        answered = await self._http.json(
            operation,
            "POST",
            path,
            answer,
            body=body,
            headers={
                f"{self._header}-Key": self._key_id,
                f"{self._header}-Timestamp": timestamp,
                f"{self._header}-Signature": signature(self._secret, timestamp, body),
            },
        )
        if answered.request_id != reference:
            self.unavailable(operation, "foreign_answer")
        return answered

    def finding(self, operation: str, answered: JudgedAnswer) -> Finding:
        """Return what was answered; raise ``VendorUnavailable`` for a yes that gives a reason against itself."""
        if answered.result is RegisterAnswer.MATCH and answered.reason is not None:
            self.unavailable(operation, "match_with_reason")
        reason = None if answered.reason is None else _REASONS.get(answered.reason)
        if answered.reason is not None and reason is None:
            self._http.refused(operation, answered.reason)
            reason = Reason.OTHER
        return Finding(answered.result, reason, answered.reference)

    def busy(self, operation: str, reason: str) -> NoReturn:
        """Log that the register can't answer now, and raise ``VendorUnavailable``."""
        self._http.refused(operation, reason)
        raise VendorUnavailable

    def unavailable(self, operation: str, reason: str) -> NoReturn:
        """Alarm the operator and raise ``VendorUnavailable``: the answer has no meaning that we know."""
        self._http.alarm(operation, reason)
        raise VendorUnavailable


def signature(secret: Secret, timestamp: str, body: bytes) -> str:
    """Return the hexadecimal HMAC-SHA256 over ``timestamp``, a line feed and ``body``."""
    return hmac.new(secret.reveal(), timestamp.encode() + b"\n" + body, hashlib.sha256).hexdigest()
