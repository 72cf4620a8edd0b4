"""Chuanglan's v2 interface: the values of a registered template, under a signature that the password never leaves with.

Owns ``/msg/sms/v2/tpl/send`` and its ``X-QA-Hmac-Signature``. No public document lists its error codes: those that the
settings explain are refusals, every other is an outage. A call without an answer is not repeated, as in ``texts``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from bjidp.clock import SECOND, Clock
from bjidp.entropy import Entropy
from bjidp.secret import Secret
from bjidp.vendors.chuanglan import codes
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.sms import Sms, SmsAnswer, SmsRefusal

_OPERATION: Final = "tpl_send"
_OK: Final = "000000"


class _Send(Struct, frozen=True, kw_only=True, rename="camel"):
    account: str
    timestamp: str
    nonce: str
    phone_numbers: str
    template_id: str
    template_param_json: str
    signature: str
    report: str
    callback_url: str = ""
    uid: str
    extend: str


class _Sent(Struct, frozen=True, rename="camel"):
    code: str | int
    # Of a refusal nobody knows whether it has these, empty, null or not at all.
    msg_id: str | None = None
    success_num: str | int | None = None
    fail_num: str | int | None = None


class ChuanglanTemplates:
    """Implements :class:`bjidp.vendors.ports.sms.SmsSender`, in one call."""

    def __init__(
        self,
        http: VendorHttp,
        *,
        account: str,
        password: Secret,
        signature: str,
        report: bool,
        extend: str,
        templates: Mapping[str, str],
        refusals: Mapping[str, SmsRefusal],
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Send from ``account`` in the name of ``signature``.

        ``templates`` has Chuanglan's id of each of our templates, ``refusals`` the meaning of its error codes.
        """
        self._http = http
        self._account = account
        self._password = password
        self._signature = signature
        self._report = report
        self._extend = extend
        self._templates = templates
        self._refusals = refusals
        self._clock = clock
        self._entropy = entropy

    async def send(self, sms: Sms) -> SmsAnswer:
        if not codes.is_number(sms):
            return codes.refused(self._http, _OPERATION, "no_number", SmsRefusal.NUMBER)
        template = self._templates.get(sms.template)
        if template is None:
            return codes.refused(self._http, _OPERATION, "no_template", SmsRefusal.REQUEST)
        timestamp, nonce = str(self._clock.now() // SECOND), self._entropy.octets(16).hex()
        values = {f"param{place}": value for place, value in enumerate(sms.parameters, 1)}
        body = _Send(
            account=self._account,
            timestamp=timestamp,
            nonce=nonce,
            phone_numbers=sms.to,
            template_id=template,
            template_param_json=msgspec.json.encode([values]).decode(),
            signature=f"【{self._signature}】",
            report="true" if self._report else "false",
            uid=sms.reference,
            extend=self._extend,
        )
        sent = await self._http.json(
            _OPERATION,
            "POST",
            "/msg/sms/v2/tpl/send",
            _Sent,
            body=msgspec.json.encode(body),
            headers={"X-QA-Hmac-Signature": request_signature(self._password, timestamp, nonce)},
        )
        return self._judged(sent)

    def _judged(self, sent: _Sent) -> SmsAnswer:
        code = str(sent.code)
        if code != _OK:
            kind = self._refusals.get(code)
            if kind is None:
                codes.unavailable(self._http, _OPERATION, code)
            return codes.refused(self._http, _OPERATION, code, kind)
        counts = (str(sent.success_num), str(sent.fail_num))
        if counts == ("0", "1"):
            # The request is well and nobody was reached: of the one number in it nothing else can be wrong.
            return codes.refused(self._http, _OPERATION, "none_reached", SmsRefusal.NUMBER)
        if counts[0] != "1":
            codes.unavailable(self._http, _OPERATION, "not_one_reached")
        return codes.accepted(self._http, _OPERATION, sent.msg_id or "")


def request_signature(password: Secret, timestamp: str, nonce: str) -> str:
    """Return the hexadecimal HMAC-SHA256 under the MD5 of the password, over that, time and nonce in byte order."""
    key = hashlib.md5(password.reveal(), usedforsecurity=False).hexdigest()
    signed = "".join(sorted((key, timestamp, nonce)))
    return hmac.new(key.encode(), signed.encode(), hashlib.sha256).hexdigest()
