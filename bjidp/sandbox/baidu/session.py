"""``jscode2sessionkey``: what a login code of ``swan.getLoginCode`` is worth, at the newer and the older address."""

from __future__ import annotations

import hmac
from typing import Final, Literal

from aiohttp import web

from bjidp.sandbox.baidu.answers import (
    MISSING_PARAMETER,
    OTHER_ERRNO,
    Answer,
    BaiduError,
    errno_error,
    fields,
    oauth_error,
    reply,
)
from bjidp.sandbox.clock import Clock
from bjidp.sandbox.codes import CodeUnknown, CodeUsed, LoginCodes
from bjidp.sandbox.credentials import BaiduApp
from bjidp.sandbox.entropy import Entropy, hexadecimal
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.openids import OpenIds
from bjidp.sandbox.settings import BaiduRules

_FIELDS: Final = (("code", "Code"), ("client_id", "ClientID"), ("sk", "Sk"))


class Session:
    """Issues login codes to phones and session keys to servers."""

    def __init__(self, *, clock: Clock, entropy: Entropy, app: BaiduApp, rules: BaiduRules, open_ids: OpenIds) -> None:
        """Serve ``app`` alone."""
        self._clock = clock
        self._entropy = entropy
        self._app = app
        self._rules = rules
        self._open_ids = open_ids
        self._codes = LoginCodes(clock, rules.code_lifetime)
        self._session_keys: Expiring[str] = Expiring()

    def login_code(self, user: str) -> str:
        """Return what ``swan.getLoginCode()`` gives this user."""
        code = hexadecimal(self._entropy, 32) + "NW"
        self._codes.issue(code, user)
        return code

    async def newer(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/oauth/jscode2sessionkey``."""
        return await self._handle(request, self._rules.dialect)

    async def older(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/nalogin/getSessionKeyByCode``."""
        return await self._handle(request, "oauth")

    async def _handle(self, request: web.Request, dialect: Literal["errno", "oauth"]) -> web.StreamResponse:
        try:
            return reply(self._exchange(await fields(request), dialect))
        except BaiduError as error:
            return reply(error.body)

    def _exchange(self, form: dict[str, str], dialect: Literal["errno", "oauth"]) -> Answer:
        for name, member in _FIELDS:
            if not form.get(name):
                if dialect == "oauth":
                    raise oauth_error("invalid_request", f"Missing parameter: {name}")
                raise errno_error(
                    MISSING_PARAMETER,
                    "parameter is invalid",
                    f"Key: 'Code2SessionKeyParam.{member}' Error:"
                    f"Field validation for '{member}' failed on the 'required' tag",
                )
        if form["client_id"] != self._app.client_id:
            raise _refusal(dialect, "invalid_client", "unknown client id")
        if not hmac.compare_digest(form["sk"].encode(errors="replace"), self._app.secret.encode()):
            raise _refusal(dialect, "invalid_client", "Client authentication failed")
        try:
            user = self._codes.redeem(form["code"])
        except (CodeUnknown, CodeUsed):
            raise _refusal(
                dialect, "invalid_grant", "Invalid authorization code: it has expired, was used, or never was"
            ) from None
        # 32 characters that decode, as Base64 and not as hexadecimal, to the 24 bytes of an AES-192 key.
        now, key = self._clock.now(), hexadecimal(self._entropy, 32)
        self._session_keys.put(user, key, until=now + self._rules.session_key_lifetime, now=now)
        return {"openid": self._open_ids.baidu(user), "session_key": key}

    def session_key(self, user: str) -> str | None:
        """Return the key of the user's newest login, or None."""
        return self._session_keys.get(user, self._clock.now())


def _refusal(dialect: Literal["errno", "oauth"], error: str, description: str) -> BaiduError:
    if dialect == "oauth":
        return oauth_error(error, description)
    return errno_error(OTHER_ERRNO, error, description)
