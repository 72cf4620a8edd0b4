"""``sns/jscode2session``: what a login code of ``wx.login`` is worth."""

from __future__ import annotations

import base64

from aiohttp import web

from bjidp.sandbox.clock import MINUTE, Clock, Instant
from bjidp.sandbox.codes import CodeUnknown, CodeUsed, LoginCodes
from bjidp.sandbox.credentials import WechatApp
from bjidp.sandbox.entropy import Entropy, base64url
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.openids import OpenIds
from bjidp.sandbox.people import People
from bjidp.sandbox.settings import WechatRules
from bjidp.sandbox.wechat.answers import Answer, WechatError
from bjidp.sandbox.wechat.tokens import check_app


class Login:
    """Issues login codes to phones and redeems them for servers."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        app: WechatApp,
        rules: WechatRules,
        open_ids: OpenIds,
        people: People,
    ) -> None:
        """Serve ``app`` alone."""
        self._clock = clock
        self._entropy = entropy
        self._app = app
        self._rules = rules
        self._open_ids = open_ids
        self._people = people
        self._codes = LoginCodes(clock, rules.code_lifetime)
        self._logins: Expiring[int] = Expiring()
        self._session_keys: Expiring[bytes] = Expiring()

    def login_code(self, user: str) -> str:
        """Return what ``wx.login()`` gives this user."""
        code = "0" + base64url(self._entropy.octets(23))
        self._codes.issue(code, user)
        return code

    async def jscode2session(self, request: web.Request) -> Answer:
        """Answer ``GET /sns/jscode2session``."""
        query = request.query
        check_app(self._app, query.get("appid"), query.get("secret"))
        code = query.get("js_code")
        if not code:
            raise WechatError(41008)
        if query.get("grant_type") != "authorization_code":
            raise WechatError(40002)
        try:
            user = self._codes.redeem(code)
        except CodeUnknown:
            raise WechatError(40029) from None
        except CodeUsed:
            raise WechatError(40163) from None
        self._count(user, self._clock.now())
        person = self._people.find(user)
        if person is not None and person.intercepted:
            raise WechatError(40226)
        now, key = self._clock.now(), self._entropy.octets(16)
        # A user has one: a new login displaces the one before.
        self._session_keys.put(user, key, until=now + self._rules.session_key_lifetime, now=now)
        # Live answers leave errcode and errmsg out on success.
        return {"openid": self._open_ids.wechat(user), "session_key": base64.b64encode(key).decode("ascii")}

    def session_key(self, user: str) -> bytes | None:
        """Return the key of the user's newest login, or None."""
        return self._session_keys.get(user, self._clock.now())

    def _count(self, user: str, now: Instant) -> None:
        key = f"{now // MINUTE}|{user}"
        logins = (self._logins.get(key, now) or 0) + 1
        if logins > self._rules.logins_a_minute:
            raise WechatError(45011)
        self._logins.put(key, logins, until=now + MINUTE, now=now)
