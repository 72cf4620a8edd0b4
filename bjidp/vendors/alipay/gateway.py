"""Alipay's gateway: one address, signed both ways.

Owns how a call is put on the wire and how its answer is believed: nothing in an answer counts, neither a success nor
an error with a meaning of its own, unless Alipay's signature covers it. Called by ``sign_in``, ``web_sign_in`` and
``face``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from bjidp.clock import Clock, Instant, in_beijing
from bjidp.errors import VendorUnavailable
from bjidp.vendors.alipay.signing import AnswerKey, MalformedAnswer, RequestKey, members
from bjidp.vendors.http import VendorHttp

T = TypeVar("T")

_SUCCESS: Final = "10000"


class Refusal(Struct, frozen=True):
    """A signed no: the gateway's ``code`` and, where the business behind it said no, its ``sub_code``."""

    code: str
    sub_code: str


class _Envelope(Struct, frozen=True):
    code: str | None = None
    sub_code: str | None = None


class AlipayGateway:
    """Calls methods of the gateway as one app."""

    def __init__(
        self, http: VendorHttp, *, app_id: str, request_key: RequestKey, answer_key: AnswerKey, clock: Clock
    ) -> None:
        """Call as ``app_id``; ``http`` has the gateway's whole address as its base URL."""
        self._http = http
        self._app_id = app_id
        self._request_key = request_key
        self._answer_key = answer_key
        self._clock = clock

    async def execute(
        self, method: str, parameters: Mapping[str, str], answer: type[T], *, auth_token: str = ""
    ) -> T | Refusal:
        """Call ``method`` with its own ``parameters``; return its signed node as ``answer``, or the signed refusal.

        ``auth_token`` is a user's access token, for a method that is about them; it travels with the method's own.

        Common parameters travel in the query, the method's own in the body, so that names and numbers stay out of
        addresses; the signature is over both. Raises ``VendorUnavailable``, also for an answer that is unsigned,
        wrongly signed, or signed as the answer to another method.
        """
        if auth_token:
            parameters = {**parameters, "auth_token": auth_token}
        common = self._signed(method, parameters)
        body = await self._http.octets(
            method, "POST", "", query=common, form={name: value for name, value in parameters.items() if value}
        )
        node = self._verified(method, body)
        try:
            envelope = msgspec.json.decode(node, type=_Envelope)
            # A node without a code is a success: that of alipay.system.oauth.token has none.
            if envelope.sub_code or envelope.code not in {None, _SUCCESS}:
                return Refusal(envelope.code or "", envelope.sub_code or "")
            return msgspec.json.decode(node, type=answer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        raise self.lying(method, "malformed")

    def page(self, address: str, method: str, parameters: Mapping[str, str]) -> str:
        """Return the signed address on the gateway ``address`` that a phone opens to run ``method``."""
        return f"{address}?{urlencode({**parameters, **self._signed(method, parameters)})}"

    def unavailable(self, method: str, refusal: Refusal) -> VendorUnavailable:
        """Alarm the operator over a refusal that is our fault or Alipay's; return the error to raise."""
        return self.lying(method, refusal.sub_code or refusal.code)

    def lying(self, method: str, reason: str) -> VendorUnavailable:
        """Alarm the operator over an answer that can't be believed; return the error to raise."""
        self._http.alarm(method, reason)
        return VendorUnavailable()

    def refused(self, method: str, refusal: Refusal) -> None:
        """Log an ordinary refusal."""
        self._http.refused(method, refusal.sub_code or refusal.code)

    def _signed(self, method: str, parameters: Mapping[str, str]) -> dict[str, str]:
        common = {
            "app_id": self._app_id,
            "charset": "utf-8",
            "format": "json",
            "method": method,
            "sign_type": "RSA2",
            "timestamp": beijing_time(self._clock.now()),
            "version": "1.0",
        }
        common["sign"] = self._request_key.sign({**parameters, **common})
        return common

    def _verified(self, method: str, body: bytes) -> bytes:
        """Return the one node that answers ``method``, proven by the signature over its bytes."""
        try:
            found = members(body)
        except MalformedAnswer:
            found = {}
        names = {method.replace(".", "_") + "_response", "error_response"} & found.keys()
        if len(names) != 1:
            raise self.lying(method, "malformed")
        node = found[names.pop()]
        if "sign" not in found:
            raise self.lying(method, "unsigned")
        if not self._answer_key.verifies(node, _text(found["sign"])):
            raise self.lying(method, "bad_signature")
        return node


def beijing_time(instant: Instant) -> str:
    """Write ``instant`` as the gateway wants it: ``yyyy-MM-dd HH:mm:ss``, the time in Beijing wherever we run."""
    return in_beijing(instant).strftime("%Y-%m-%d %H:%M:%S")


def _text(value: bytes) -> str:
    try:
        return msgspec.json.decode(value, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
