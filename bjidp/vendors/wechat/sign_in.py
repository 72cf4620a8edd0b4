"""WeChat's login: a ``wx.login`` code becomes an openid.

Owns ``sns/jscode2session``. The answer also carries the session key, with which anybody could forge what WeChat tells
the client: it is a secret from the moment it is read (attack M1).
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from bjidp.errors import VendorUnavailable
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.secret import Secret
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.platforms import LoginBlocked, LoginCodeInvalid, PlatformLogin
from bjidp.vendors.wechat import codes

_OPERATION = "jscode2session"


class _Session(Struct, frozen=True):
    errcode: int = codes.OK
    openid: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    session_key: Annotated[str, Meta(max_length=128)] = ""


class WechatSignIn:
    """Implements :class:`bjidp.vendors.ports.platforms.PlatformSignIn`."""

    def __init__(self, http: VendorHttp, *, app_id: str, app_secret: Secret) -> None:
        """Sign in to the mini-program ``app_id``."""
        self._http = http
        self._app_id = app_id
        self._app_secret = app_secret

    async def exchange(self, code: str) -> PlatformLogin:
        if not code:
            raise LoginCodeInvalid
        session = await self._http.json(
            _OPERATION,
            "GET",
            "/sns/jscode2session",
            _Session,
            query={
                "appid": self._app_id,
                "secret": self._app_secret.text(),
                "js_code": code,
                "grant_type": "authorization_code",
            },
        )
        if session.errcode in codes.LOGIN_CODE_REFUSED:
            self._http.refused(_OPERATION, str(session.errcode))
            raise LoginCodeInvalid
        if session.errcode == codes.LOGIN_BLOCKED:
            self._http.refused(_OPERATION, str(session.errcode))
            raise LoginBlocked
        if session.errcode != codes.OK:
            codes.unavailable(self._http, _OPERATION, session.errcode)
        if session.openid is None:
            self._http.alarm(_OPERATION, "no_openid")
            raise VendorUnavailable
        identity = PlatformIdentity(Platform.WECHAT, self._app_id, session.openid)
        return PlatformLogin(identity, Secret(session.session_key) if session.session_key else None)
