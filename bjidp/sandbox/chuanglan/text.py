"""v1: ``send/json``, ``balance/json`` and ``pull/report``, each under the account's name and password in the body."""

from __future__ import annotations

import hmac
import re
from typing import Final

import msgspec
from aiohttp import web

from bjidp.sandbox.chuanglan.answers import OK, TEXTS, Answer, ChuanglanError, json_object, optional, reply, text
from bjidp.sandbox.chuanglan.outbox import NUMBERS_MAX, Outbox, Report, Submission, compact
from bjidp.sandbox.clock import Clock
from bjidp.sandbox.credentials import ChuanglanAccount

_ID_DIGITS: Final = 17
_SEND_TIME: Final = re.compile(r"[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])([01][0-9]|2[0-3])[0-5][0-9]")
_COUNT: Final = re.compile(r"[1-9][0-9]?|100")


class Texts:
    """The v1 interface of one account."""

    def __init__(self, *, clock: Clock, account: ChuanglanAccount, outbox: Outbox) -> None:
        """Serve ``account`` alone."""
        self._clock = clock
        self._account = account
        self._outbox = outbox

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Answer ``POST /msg/v1/send/json``."""
        try:
            code, message = OK, self._send(await json_object(request), request.remote)
        except ChuanglanError as error:
            code, message = error.code, ""
        return reply({"code": code, "msgId": message, "time": self._time(), "errorMsg": TEXTS.get(code, "")})

    async def balance(self, request: web.Request) -> web.StreamResponse:
        """Answer ``POST /msg/balance/json``, whose code of success is a number."""
        try:
            self._admit(await json_object(request), request.remote)
        except ChuanglanError as error:
            return reply({"code": error.code, "time": self._time(), "errorMsg": TEXTS[error.code]})
        return reply({"balance": str(self._outbox.balance), "time": self._time(), "errorMsg": "", "code": 0})

    async def pull_reports(self, request: web.Request) -> web.StreamResponse:
        """Answer ``POST /msg/pull/report``: each report once, the oldest first."""
        try:
            reports = self._pull(await json_object(request), request.remote)
        except ChuanglanError as error:
            return reply({"ret": 1, "error": TEXTS[error.code]})
        return reply({"ret": 0, "result": msgspec.to_builtins(reports)})

    def _send(self, body: Answer, address: str | None) -> str:
        words, phone = text(body, "msg"), text(body, "phone")
        self._admit(body, address)
        self._outbox.count()
        numbers = tuple(phone.split(",")) if phone else ()
        if not 0 < len(numbers) <= NUMBERS_MAX:
            raise ChuanglanError("108")
        for number in numbers:
            self._outbox.check_number(number)
        self._outbox.check_text(words, self._account.signature, optional(body, "extend"))
        send_time, report = optional(body, "sendtime"), optional(body, "report", "false")
        if send_time and _SEND_TIME.fullmatch(send_time) is None:
            raise ChuanglanError("127")
        if report not in {"true", "false"}:
            raise ChuanglanError("130")
        message = self._outbox.message_id(_ID_DIGITS)
        self._outbox.send(
            Submission(
                texts=dict.fromkeys(numbers, words), message=message, uid=optional(body, "uid"), report=report == "true"
            )
        )
        return message

    def _pull(self, body: Answer, address: str | None) -> list[Report]:
        self._admit(body, address)
        count = optional(body, "count", "20")
        if _COUNT.fullmatch(count) is None:
            raise ChuanglanError("130")
        now = self._time()[2:]
        return [msgspec.structs.replace(report, notify_time=now) for report in self._outbox.hand_out(int(count))]

    def _admit(self, body: Answer, address: str | None) -> None:
        account, password = text(body, "account"), text(body, "password")
        if account != self._account.account:
            raise ChuanglanError("101")
        if not hmac.compare_digest(password.encode(errors="replace"), self._account.password.encode()):
            raise ChuanglanError("102")
        self._outbox.check_address(address)

    def _time(self) -> str:
        return compact(self._clock.now())
