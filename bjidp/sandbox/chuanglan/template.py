"""v2 (云智): ``tpl/send``, under a signature in a header or else the password in the body.

No public document lists its error codes, so those here are made up: the v1 code that fits, behind ``9`` and as many
zeros as make six digits.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any, Final

from aiohttp import web

from bjidp.sandbox.chuanglan.answers import TEXTS, Answer, ChuanglanError, json_object, optional, reply, text
from bjidp.sandbox.chuanglan.outbox import NUMBERS_MAX, Outbox, Submission, compact
from bjidp.sandbox.clock import SECOND, Clock
from bjidp.sandbox.credentials import ChuanglanAccount
from bjidp.sandbox.people.numbers import is_synthetic_phone
from bjidp.sandbox.settings import ChuanglanRules

_OK: Final = "000000"
_ID_DIGITS: Final = 32
_NONCE_LENGTH: Final = 32
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_PLACE: Final = re.compile(r"\{(\w+)\}")


class Templates:
    """The v2 interface of one account."""

    def __init__(self, *, clock: Clock, account: ChuanglanAccount, rules: ChuanglanRules, outbox: Outbox) -> None:
        """Serve ``account`` alone."""
        self._clock = clock
        self._account = account
        self._rules = rules
        self._outbox = outbox

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Answer ``POST /msg/sms/v2/tpl/send``."""
        try:
            body = await json_object(request)
            message, taken, failed = self._send(body, request)
            code, words = _OK, ""
        except ChuanglanError as error:
            message, taken, failed = "", 0, 0
            code, words = made_up(error.code), TEXTS[error.code]
        return reply(
            {
                "code": code,
                "msgId": message,
                "time": compact(self._clock.now()),
                "successNum": str(taken),
                "failNum": str(failed),
                "errorMsg": words,
            }
        )

    def _send(self, body: Answer, request: web.Request) -> tuple[str, int, int]:
        self._admit(body, request)
        self._outbox.count()
        numbers = tuple(filter(None, text(body, "phoneNumbers").split(",")))
        if not 0 < len(numbers) <= NUMBERS_MAX:
            raise ChuanglanError("108")
        template = self._rules.templates.get(text(body, "templateId"))
        if template is None:
            raise ChuanglanError("124")
        values, signature = _values(text(body, "templateParamJson"), len(numbers)), text(body, "signature")
        texts = {number: signature + filled(template, some) for number, some in zip(numbers, values, strict=True)}
        # A number that cannot be is counted and keeps no other from being reached.
        known = [number for number in numbers if is_synthetic_phone(number)]
        for number in known:
            self._outbox.check_number(number)
            self._outbox.check_text(texts[number], self._account.signature, optional(body, "extend"))
        message = self._outbox.message_id(_ID_DIGITS)
        self._outbox.send(
            Submission(
                texts={number: texts[number] for number in known},
                message=message,
                uid=optional(body, "uid"),
                report=optional(body, "report", "false") == "true",
            )
        )
        return message, len(known), len(numbers) - len(known)

    def _admit(self, body: Answer, request: web.Request) -> None:
        account, timestamp, nonce = (text(body, name) for name in ("account", "timestamp", "nonce"))
        if account != self._account.account:
            raise ChuanglanError("101")
        if len(nonce) != _NONCE_LENGTH or _TIMESTAMP.fullmatch(timestamp) is None:
            raise ChuanglanError("130")
        given = request.headers.get("X-QA-Hmac-Signature")
        if given is None:
            expected, given = self._account.password, optional(body, "password")
        else:
            expected = signed(self._account.password, timestamp, nonce)
        if not hmac.compare_digest(given.encode(errors="replace"), expected.encode()):
            raise ChuanglanError("102")
        if abs(self._clock.now() - int(timestamp) * SECOND) > self._rules.timestamp_tolerance:
            raise ChuanglanError("102")
        self._outbox.check_address(request.remote)


def made_up(code: str) -> str:
    """Return what stands here for the v2 code of what v1 calls ``code``."""
    return "9" + code.zfill(len(_OK) - 1)


def signed(password: str, timestamp: str, nonce: str) -> str:
    """Return the signature: three texts put in byte order and one after the other, under the MD5 of the password."""
    key = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest().encode("ascii")
    ordered = sorted([key, timestamp.encode(), nonce.encode()])
    return hmac.digest(key, b"".join(ordered), "sha256").hex()


def filled(template: str, values: dict[str, Any]) -> str:
    """Return ``template`` with its ``{places}`` filled; raise 114 where places and values are not the same."""
    places = set(_PLACE.findall(template))
    if places != set(values) or not all(isinstance(value, str) for value in values.values()):
        raise ChuanglanError("114")
    return _PLACE.sub(lambda place: str(values[place[1]]), template)


def _values(given: str, count: int) -> list[dict[str, Any]]:
    """Read ``templateParamJson``: an object for each number, or one for all."""
    try:
        read = json.loads(given)
    except (ValueError, RecursionError):
        raise ChuanglanError("129") from None
    if not isinstance(read, list) or not all(isinstance(some, dict) for some in read) or len(read) not in {1, count}:
        raise ChuanglanError("114")
    return read * count if len(read) == 1 else read
