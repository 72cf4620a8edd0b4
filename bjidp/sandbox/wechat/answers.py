"""The shape of WeChat's answers: JSON as ``text/plain``, status 200 whatever happened, a ``rid`` in error texts."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from aiohttp import web

from bjidp.sandbox.clock import SECOND, Clock
from bjidp.sandbox.entropy import Entropy, hexadecimal

Answer: TypeAlias = dict[str, Any]
Call: TypeAlias = Callable[[web.Request], Awaitable[Answer]]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

TEXTS: Final = {
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40014: "invalid access_token",
    40029: "invalid code",
    40125: "invalid appsecret",
    40163: "code been used",
    40164: "invalid ip, not in whitelist",
    40226: "code blocked",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    42001: "access_token expired",
    43002: "require POST method",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit mustslower retry next minute",
    47001: "data format error",
    84010: "missing out_seq_no",
    84011: "invalid out_seq_no format",
    84012: "missing cert_info",
    84013: "invalid cert_type",
    84014: "invalid cert_name",
    84015: "invalid cert_no",
    84016: "missing openid",
    84017: "openid mismatch",
    84018: "invalid cert_hash",
    84019: "out_seq_no already exists",
    84020: "out_seq_no mismatch",
    84021: "missing verify_id",
    84022: "verify_id expired",
}
"""What each error says before its rid; the numbers are vendors' documents', see there for what is from memory."""


class WechatError(Exception):
    """WeChat refuses with this ``errcode``."""

    def __init__(self, errcode: int) -> None:
        """Refuse with a number of :data:`TEXTS`."""
        super().__init__(errcode)
        self.errcode = errcode


class Answers:
    """Turns calls into handlers."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        """Take what a rid is made of."""
        self._clock = clock
        self._entropy = entropy

    def handler(self, call: Call) -> Handler:
        """Return the handler that answers what ``call`` returns, or its refusal."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                answer = await call(request)
            except WechatError as error:
                answer = self._refusal(error.errcode)
            return _json(answer)

        return handle

    async def post_only(self, _request: web.Request) -> web.StreamResponse:
        """Answer a GET of a call that wants POST."""
        return _json(self._refusal(43002))

    def _refusal(self, errcode: int) -> Answer:
        rid = f"{self._clock.now() // SECOND:08x}-{hexadecimal(self._entropy, 8)}-{hexadecimal(self._entropy, 8)}"
        return {"errcode": errcode, "errmsg": f"{TEXTS[errcode]}, rid: {rid}"}


async def json_object(request: web.Request) -> Answer:
    """Read the body as a JSON object whatever content type it claims; raise 47001."""
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise WechatError(47001) from None
    if not isinstance(body, dict):
        raise WechatError(47001)
    return body


def _json(answer: Answer) -> web.Response:
    return web.Response(text=json.dumps(answer, ensure_ascii=False), content_type="text/plain")
