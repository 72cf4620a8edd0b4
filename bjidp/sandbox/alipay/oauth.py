"""``alipay.system.oauth.token``: what an auth code of ``my.getAuthCode`` or of the page for websites is worth.

Its parameters stand beside the common ones and not in ``biz_content``, and a good answer has no ``code``.
"""

from __future__ import annotations

from dataclasses import dataclass

from bjidp.sandbox.alipay.errors import Node, invalid
from bjidp.sandbox.alipay.gateway import Parameters
from bjidp.sandbox.clock import DAY, SECOND, Clock, Instant, beijing_time
from bjidp.sandbox.codes import CodeUnknown, CodeUsed, LoginCodes
from bjidp.sandbox.entropy import Entropy, hexadecimal
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.openids import OpenIds
from bjidp.sandbox.settings import AlipayRules


@dataclass(slots=True)
class _Refresh:
    user: str
    until: Instant
    used: bool = False


class OAuth:
    """Issues auth codes to phones and tokens to servers."""

    def __init__(self, *, clock: Clock, entropy: Entropy, rules: AlipayRules, open_ids: OpenIds) -> None:
        """Serve the app of ``open_ids``."""
        self._clock = clock
        self._entropy = entropy
        self._rules = rules
        self._open_ids = open_ids
        self._codes = LoginCodes(clock, rules.code_lifetime)
        self._refresh: Expiring[_Refresh] = Expiring()
        self._access: Expiring[str] = Expiring()

    def login_code(self, user: str) -> str:
        """Return what ``my.getAuthCode({scopes: 'auth_base'})`` gives this user."""
        code = hexadecimal(self._entropy, 32)
        self._codes.issue(code, user)
        return code

    def user_of(self, access_token: str) -> str | None:
        """Return whose access token it is, or None."""
        return self._access.get(access_token, self._clock.now())

    def names(self, user: str) -> dict[str, str]:
        """Return what the app is told that a user is called."""
        old = {"user_id": self._open_ids.alipay_user_id(user)} if self._rules.tells_user_id else {}
        return {"open_id": self._open_ids.alipay(user), **old}

    def token(self, parameters: Parameters) -> Node:
        """Answer the method."""
        match parameters.get("grant_type"):
            case "authorization_code":
                return self._grant(self._by_code(parameters.get("code", "")))
            case "refresh_token":
                return self._grant(self._by_refresh_token(parameters.get("refresh_token", "")))
            case _:
                raise invalid("isv.grant-type-invalid", "grant_type参数不正确")

    def _by_code(self, code: str) -> str:
        try:
            return self._codes.redeem(code)
        except (CodeUnknown, CodeUsed):
            raise invalid("isv.code-invalid", "授权码code无效") from None

    def _by_refresh_token(self, text: str) -> str:
        now = self._clock.now()
        token = self._refresh.get(text, now)
        if token is None:
            raise invalid("isv.refresh-token-invalid", "刷新令牌refresh_token无效")
        if token.used:
            raise invalid("isv.refreshed-token-invalid", "刷新令牌refresh_token已被使用")
        if now >= token.until:
            raise invalid("isv.refresh-token-time-out", "刷新令牌refresh_token已过期")
        token.used = True
        return token.user

    def _grant(self, user: str) -> Node:
        now = self._clock.now()
        refresh_token = "authbseB" + hexadecimal(self._entropy, 32)
        until = now + self._rules.refresh_lifetime
        # Known for a day longer than it works, to tell a token that ran out from one that never was.
        self._refresh.put(refresh_token, _Refresh(user, until), until=until + DAY, now=now)
        access_token = "authbseB" + hexadecimal(self._entropy, 32)
        self._access.put(access_token, user, until=now + self._rules.access_lifetime, now=now)
        return {
            "access_token": access_token,
            "auth_start": beijing_time(now),
            "expires_in": self._seconds(self._rules.access_lifetime),
            "re_expires_in": self._seconds(self._rules.refresh_lifetime),
            "refresh_token": refresh_token,
            **self.names(user),
        }

    def _seconds(self, span: int) -> int | str:
        seconds = span // SECOND
        return str(seconds) if self._rules.numbers_as_text else seconds
