"""Baidu cloud's access token: fetched, kept, and replaced once when it is refused.

Owns ``oauth/2.0/token`` of ``aip.baidubce.com`` and the rule of every call that carries a token.
"""

from __future__ import annotations

from typing import Annotated, Final, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct

from bjidp.clock import Clock
from bjidp.errors import VendorUnavailable
from bjidp.secret import Secret
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.tokens import AccessToken, AccessTokens

_OPERATION: Final = "aip_token"
_TOKEN_STALE: Final = frozenset({110, 111})


class _TokenAnswer(Struct, frozen=True):
    error: str | None = None
    access_token: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    expires_in: Annotated[int, Meta(gt=0)] | None = None


class Coded(Protocol):
    """An answer of a cloud service with the gateway's error code."""

    @property
    def error_code(self) -> int:
        """The code; 0, also where the answer leaves it out, means that the service itself answered."""
        ...


A = TypeVar("A", bound=Coded)


class AipCalls:
    """Calls of Baidu's cloud that carry the access token."""

    def __init__(self, http: VendorHttp, *, api_key: str, secret_key: Secret, clock: Clock) -> None:
        """Call with the cloud application's two keys, which are not those of the smart program."""
        self._http = http
        self._api_key = api_key
        self._secret_key = secret_key
        self._tokens = AccessTokens(self._fetch, clock=clock)

    async def post(self, operation: str, path: str, body: Struct, answer: type[A]) -> A:
        """Send ``body``; when the token is refused, send it once more with a new one.

        Sending twice is safe: a call with a refused token never reached the service. Raises ``VendorUnavailable``,
        also for any error of the gateway in front of the service.
        """
        sent = msgspec.json.encode(body)
        result = await self._attempt(operation, path, sent, answer)
        if result.error_code in _TOKEN_STALE:
            result = await self._attempt(operation, path, sent, answer)
        if result.error_code:
            self._http.alarm(operation, str(result.error_code))
            raise VendorUnavailable
        return result

    async def _attempt(self, operation: str, path: str, body: bytes, answer: type[A]) -> A:
        token = await self._tokens.current()
        result = await self._http.json(operation, "POST", path, answer, query={"access_token": token.text()}, body=body)
        if result.error_code in _TOKEN_STALE:
            self._tokens.drop(token)
        return result

    async def _fetch(self) -> AccessToken:
        answer = await self._http.json(
            _OPERATION,
            "POST",
            "/oauth/2.0/token",
            _TokenAnswer,
            query={
                "grant_type": "client_credentials",
                "client_id": self._api_key,
                "client_secret": self._secret_key.text(),
            },
        )
        if answer.error or answer.access_token is None or answer.expires_in is None:
            self._http.alarm(_OPERATION, answer.error or "no_token")
            raise VendorUnavailable
        return AccessToken(Secret(answer.access_token), answer.expires_in)
