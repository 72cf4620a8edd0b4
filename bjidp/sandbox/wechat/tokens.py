"""``cgi-bin/token`` and ``cgi-bin/stable_token``: the tokens every server call of WeChat carries.

The two kinds are renewed apart from each other. Fetching an ordinary token again replaces it, and both work for five
minutes; the stable one stays the same until shortly before its end, unless a refresh is forced, which ends the old one
at once. A replaced token is 40001, one that ran out 42001.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

from aiohttp import web

from bjidp.sandbox.clock import DAY, SECOND, Clock, Instant
from bjidp.sandbox.credentials import WechatApp
from bjidp.sandbox.entropy import Entropy, base64url
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.settings import WechatRules
from bjidp.sandbox.wechat.answers import Answer, WechatError, json_object

_FORM = re.compile(r"\d{2}_[A-Za-z0-9_-]{100,512}")


@dataclass(slots=True)
class _Token:
    text: str
    until: Instant
    replaced: bool = False


class AccessTokens:
    """Issues and checks the tokens of one app."""

    def __init__(self, *, clock: Clock, entropy: Entropy, app: WechatApp, rules: WechatRules) -> None:
        """Serve ``app`` alone."""
        self._clock = clock
        self._entropy = entropy
        self._app = app
        self._rules = rules
        self._tokens: Expiring[_Token] = Expiring()
        self._ordinary: _Token | None = None
        self._stable: _Token | None = None
        self._forced: list[Instant] = []

    async def token(self, request: web.Request) -> Answer:
        """Answer ``GET /cgi-bin/token``."""
        query = request.query
        if query.get("grant_type") != "client_credential":
            raise WechatError(40002)
        self._authenticate(request, query.get("appid"), query.get("secret"))
        now = self._clock.now()
        self._replace(self._ordinary, now + self._rules.token_overlap)
        self._ordinary = self._issue("98", now)
        return self._answer(self._ordinary, now)

    async def stable_token(self, request: web.Request) -> Answer:
        """Answer ``POST /cgi-bin/stable_token``."""
        body = await json_object(request)
        if body.get("grant_type") != "client_credential":
            raise WechatError(40002)
        self._authenticate(request, body.get("appid"), body.get("secret"))
        now = self._clock.now()
        if body.get("force_refresh") is True:
            self._count_forced(now)
            self._replace(self._stable, now)
            self._stable = self._issue("99", now)
        elif self._stable is None or self._stable.until - now <= self._rules.token_overlap:
            self._replace(self._stable, now + self._rules.token_overlap)
            self._stable = self._issue("99", now)
        return self._answer(self._stable, now)

    def check(self, request: web.Request) -> None:
        """Require a good ``access_token`` in the query; raise 41001, 40014, 40001 or 42001."""
        text = request.query.get("access_token")
        if not text:
            raise WechatError(41001)
        if not _FORM.fullmatch(text):
            raise WechatError(40014)
        now = self._clock.now()
        token = self._tokens.get(text, now)
        if token is None:
            raise WechatError(40001)
        if now >= token.until:
            raise WechatError(40001 if token.replaced else 42001)

    def _authenticate(self, request: web.Request, app_id: object, secret: object) -> None:
        check_app(self._app, app_id, secret)
        allowed = self._rules.allowed_addresses
        if allowed is not None and request.remote not in allowed:
            raise WechatError(40164)

    def _issue(self, kind: str, now: Instant) -> _Token:
        token = _Token(f"{kind}_{base64url(self._entropy.octets(99))}", now + self._rules.token_lifetime)
        # Known for a day longer than it works, to tell a token that ran out from one that never was.
        self._tokens.put(token.text, token, until=token.until + DAY, now=now)
        return token

    @staticmethod
    def _replace(token: _Token | None, until: Instant) -> None:
        if token is not None and until < token.until:
            token.until = until
            token.replaced = True

    def _count_forced(self, now: Instant) -> None:
        self._forced = [at for at in self._forced if now - at < DAY]
        if self._forced and now - self._forced[-1] < self._rules.forced_refresh_gap:
            raise WechatError(45011)
        if len(self._forced) >= self._rules.forced_refreshes_a_day:
            raise WechatError(45009)
        self._forced.append(now)

    @staticmethod
    def _answer(token: _Token, now: Instant) -> Answer:
        return {"access_token": token.text, "expires_in": (token.until - now) // SECOND}


def check_app(app: WechatApp, app_id: object, secret: object) -> None:
    """Require the app's id and secret; raise 41002, 41004, 40013 or 40125."""
    if not isinstance(app_id, str) or not app_id:
        raise WechatError(41002)
    if not isinstance(secret, str) or not secret:
        raise WechatError(41004)
    if app_id != app.app_id:
        raise WechatError(40013)
    if not hmac.compare_digest(secret.encode(), app.secret.encode()):
        raise WechatError(40125)
