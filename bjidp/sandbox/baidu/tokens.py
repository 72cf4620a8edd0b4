"""``/oauth/2.0/token`` with ``client_credentials``: for the smart program and, with other keys, for the face service.

With ``authorization_code`` it is the websites' (:mod:`bjidp.sandbox.baidu.web`).

Making a new token leaves the earlier ones alone.
"""

from __future__ import annotations

import hmac
from typing import Final

from aiohttp import web

from bjidp.sandbox.baidu.answers import BaiduError, fields, oauth_error, reply
from bjidp.sandbox.baidu.web import WebLogin, is_code_grant
from bjidp.sandbox.clock import DAY, SECOND, Clock, Instant
from bjidp.sandbox.credentials import BaiduApp
from bjidp.sandbox.entropy import Entropy, hexadecimal
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.settings import BaiduRules

_INVALID: Final = {"error_code": 110, "error_msg": "Access token invalid or no longer valid"}
_EXPIRED: Final = {"error_code": 111, "error_msg": "Access token expired"}


class Tokens:
    """Issues access tokens and checks those of the face service."""

    def __init__(
        self, *, clock: Clock, entropy: Entropy, app: BaiduApp, rules: BaiduRules, web_login: WebLogin
    ) -> None:
        """Serve ``app``, and ``web_login`` what is about its codes."""
        self._web_login = web_login
        self._clock = clock
        self._entropy = entropy
        self._rules = rules
        self._secrets = {app.client_id: app.secret, app.aip_key: app.aip_secret}
        self._aip_key = app.aip_key
        self._aip_tokens: Expiring[Instant] = Expiring()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/oauth/2.0/token``."""
        try:
            form = await fields(request)
            return reply(self._web_login.grant(form) if is_code_grant(form) else self._grant(form))
        except BaiduError as error:
            return reply(error.body)

    def check_aip(self, request: web.Request) -> None:
        """Require a good token of the face service in the query; raise :class:`BaiduError` 110 or 111."""
        now = self._clock.now()
        until = self._aip_tokens.get(request.query.get("access_token", ""), now)
        if until is None:
            raise BaiduError(_INVALID)
        if now >= until:
            raise BaiduError(_EXPIRED)

    def _grant(self, form: dict[str, str]) -> dict[str, str | int]:
        if form.get("grant_type") != "client_credentials":
            raise oauth_error("unsupported_grant_type", "The authorization grant type is not supported")
        client_id = form.get("client_id", "")
        secret = self._secrets.get(client_id)
        if secret is None:
            raise oauth_error("invalid_client", "unknown client id")
        if not hmac.compare_digest(form.get("client_secret", "").encode(errors="replace"), secret.encode()):
            raise oauth_error("invalid_client", "Client authentication failed")
        now = self._clock.now()
        until = now + self._rules.token_lifetime
        is_aip = client_id == self._aip_key
        access_token = self._text("24", until)
        if is_aip:
            # Known for a day longer than it works, to tell a token that ran out from one that never was.
            self._aip_tokens.put(access_token, until, until=until + DAY, now=now)
        return {
            "access_token": access_token,
            "expires_in": self._rules.token_lifetime // SECOND,
            "refresh_token": self._text("25", until),
            "scope": "public brain_all_scope" if is_aip else form.get("scope", "smartapp_snsapi_base"),
            "session_key": "",
            "session_secret": hexadecimal(self._entropy, 32),
        }

    def _text(self, kind: str, until: Instant) -> str:
        lifetime = self._rules.token_lifetime // SECOND
        return f"{kind}.{hexadecimal(self._entropy, 32)}.{lifetime}.{until // SECOND}.282335-99990001"
