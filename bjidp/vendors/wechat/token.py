"""WeChat's access token: fetched, kept, and replaced once when it is refused.

Owns ``cgi-bin/stable_token`` and the rule of every call that carries a token. The stable token is asked for because
fetching it does not invalidate the one another process of ours holds, as ``cgi-bin/token`` does; ``force_refresh``
would, and is allowed twenty times a day, so it is never used.
"""

from __future__ import annotations

from typing import Annotated, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct

from bjidp.clock import Clock
from bjidp.errors import VendorUnavailable
from bjidp.secret import Secret
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.tokens import AccessToken, AccessTokens
from bjidp.vendors.wechat import codes

_OPERATION = "stable_token"


class _TokenRequest(Struct, frozen=True):
    grant_type: str
    appid: str
    secret: str
    force_refresh: bool


class _TokenAnswer(Struct, frozen=True):
    errcode: int = codes.OK
    access_token: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    expires_in: Annotated[int, Meta(gt=0)] | None = None


class Coded(Protocol):
    """An answer with WeChat's error code."""

    @property
    def errcode(self) -> int:
        """The code; 0, also where the answer leaves it out, is success."""
        ...


A = TypeVar("A", bound=Coded)


class WechatCalls:
    """Calls that carry the app's access token."""

    def __init__(self, http: VendorHttp, *, app_id: str, app_secret: Secret, clock: Clock) -> None:
        """Call as the mini-program ``app_id``."""
        self._http = http
        self._app_id = app_id
        self._app_secret = app_secret
        self._tokens = AccessTokens(self._fetch, clock=clock)

    async def post(self, operation: str, path: str, body: Struct, answer: type[A]) -> A:
        """Send ``body``; when the token is refused, send it once more with a new one.

        Sending twice is safe, whatever the call does: with a token it refuses, WeChat does nothing. Raises
        ``VendorUnavailable``; error codes of the call itself are in the answer.
        """
        sent = msgspec.json.encode(body)
        result = await self._attempt(operation, path, sent, answer)
        if result.errcode in codes.TOKEN_STALE:
            result = await self._attempt(operation, path, sent, answer)
            if result.errcode in codes.TOKEN_STALE:
                codes.unavailable(self._http, operation, result.errcode)
        return result

    async def _attempt(self, operation: str, path: str, body: bytes, answer: type[A]) -> A:
        token = await self._tokens.current()
        result = await self._http.json(operation, "POST", path, answer, query={"access_token": token.text()}, body=body)
        if result.errcode in codes.TOKEN_STALE:
            self._tokens.drop(token)
        return result

    async def _fetch(self) -> AccessToken:
        request = _TokenRequest("client_credential", self._app_id, self._app_secret.text(), force_refresh=False)
        answer = await self._http.json(
            _OPERATION, "POST", "/cgi-bin/stable_token", _TokenAnswer, body=msgspec.json.encode(request)
        )
        if answer.errcode != codes.OK:
            codes.unavailable(self._http, _OPERATION, answer.errcode)
        if answer.access_token is None or answer.expires_in is None:
            self._http.alarm(_OPERATION, "no_token")
            raise VendorUnavailable
        return AccessToken(Secret(answer.access_token), answer.expires_in)
