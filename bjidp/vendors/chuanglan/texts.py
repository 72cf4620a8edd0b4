"""Chuanglan's v1 interface: a whole text, signed in its first words.

Owns ``/msg/v1/send/json``. The password travels in the body, so the body is never logged. A call without an answer is
not repeated: the message may be on its way, and what a second one costs is for the caller to weigh.
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
from msgspec import Struct

from bjidp.errors import VendorUnavailable
from bjidp.secret import Secret
from bjidp.vendors.chuanglan import codes
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.sms import Sms, SmsAnswer, SmsRefusal

_OPERATION: Final = "send"


class _Send(Struct, frozen=True, omit_defaults=True):
    account: str
    password: str
    msg: str
    phone: str
    report: str
    uid: str
    extend: str = ""


class _Sent(Struct, frozen=True):
    # A number in some accounts' answers, which the document says is text.
    code: str | int
    message: str | None = msgspec.field(name="msgId", default=None)


class ChuanglanTexts:
    """Implements :class:`bjidp.vendors.ports.sms.SmsSender`, in at most two calls and the pause between them."""

    def __init__(
        self,
        http: VendorHttp,
        *,
        account: str,
        password: Secret,
        signature: str,
        report: bool,
        extend: str,
        pause: float,
    ) -> None:
        """Send from ``account`` in the name of ``signature``; after ``pause`` seconds once more to a busy Chuanglan."""
        self._http = http
        self._account = account
        self._password = password
        self._signature = signature
        self._report = report
        self._extend = extend
        self._pause = pause

    async def send(self, sms: Sms) -> SmsAnswer:
        if not codes.is_number(sms):
            return codes.refused(self._http, _OPERATION, "no_number", SmsRefusal.NUMBER)
        body = msgspec.json.encode(
            _Send(
                account=self._account,
                password=self._password.text(),
                msg=f"【{self._signature}】{sms.text}",
                phone=sms.to,
                report="true" if self._report else "false",
                uid=sms.reference,
                extend=self._extend,
            )
        )
        sent = await self._attempt(body)
        if str(sent.code) in codes.BUSY:
            # Of all refusals these two alone say that the message was not taken and that another attempt may do.
            await asyncio.sleep(self._pause)
            sent = await self._attempt(body)
        return self._judged(str(sent.code), sent.message or "")

    async def _attempt(self, body: bytes) -> _Sent:
        return await self._http.json(_OPERATION, "POST", "/msg/v1/send/json", _Sent, body=body)

    def _judged(self, code: str, message: str) -> SmsAnswer:
        if code == codes.OK:
            return codes.accepted(self._http, _OPERATION, message)
        if code in codes.BUSY:
            self._http.refused(_OPERATION, code)
            raise VendorUnavailable
        kind = codes.REFUSALS.get(code)
        if kind is None:
            codes.unavailable(self._http, _OPERATION, code)
        return codes.refused(self._http, _OPERATION, code, kind)
