"""WeChat's login for websites: a code of its page becomes an openid, and a unionid where there is one.

Owns ``connect/qrconnect`` and, in WeChat's own browser, ``connect/oauth2/authorize``; ``sns/oauth2/access_token`` and
``sns/userinfo``. The second question is asked though the first answer names the user: only it tells the unionid to
every kind of app, and whoever it is about has to be the same.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias
from urllib.parse import urlencode

from msgspec import Meta, Struct

from bjidp.errors import VendorUnavailable
from bjidp.platforms import ExternalIdentity, ExternalKind, Provider
from bjidp.secret import Secret
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.platforms import LoginCodeInvalid
from bjidp.vendors.ports.providers import ExternalLogin
from bjidp.vendors.wechat import codes

_TOKEN: Final = "oauth2.access_token"  # noqa: S105 - the name of a question
_USER: Final = "userinfo"

_Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]


class WebApp(Struct, frozen=True):
    """An app whose codes are redeemed."""

    app_id: str
    secret: Secret


class _Token(Struct, frozen=True):
    errcode: int = codes.OK
    openid: _Name | None = None
    access_token: Annotated[str, Meta(min_length=1, max_length=512)] | None = None


class _User(Struct, frozen=True):
    errcode: int = codes.OK
    openid: _Name | None = None
    unionid: Annotated[str, Meta(max_length=128)] = ""


class WechatWebSignIn:
    """Implements :class:`bjidp.vendors.ports.providers.WebSignIn`."""

    code_parameter = "code"

    def __init__(self, http: VendorHttp, *, page_url: str, website: WebApp, public: WebApp | None) -> None:
        """Sign in to ``website`` and, inside WeChat, to the ``public`` account, where there is one."""
        self._http = http
        self._page_url = page_url.rstrip("/")
        self._website = website
        self._public = public

    def page(self, callback: str, state: str, *, inside: bool) -> str:
        app, path, scope = self._website, "connect/qrconnect", "snsapi_login"
        if inside and self._public is not None:
            app, path, scope = self._public, "connect/oauth2/authorize", "snsapi_userinfo"
        # In the order that WeChat documents: inside its browser it compares the address with a pattern.
        asked = {"appid": app.app_id, "redirect_uri": callback, "response_type": "code", "scope": scope, "state": state}
        return f"{self._page_url}/{path}?{urlencode(asked)}#wechat_redirect"

    async def exchange(self, code: str, callback: str, *, inside: bool) -> ExternalLogin:
        del callback  # WeChat does not ask for it again
        if not code:
            raise LoginCodeInvalid
        app = self._public if inside and self._public is not None else self._website
        token = await self._http.json(
            _TOKEN,
            "GET",
            "/sns/oauth2/access_token",
            _Token,
            query={
                "appid": app.app_id,
                "secret": app.secret.text(),
                "code": code,
                "grant_type": "authorization_code",
            },
        )
        if token.errcode in codes.LOGIN_CODE_REFUSED:
            self._http.refused(_TOKEN, str(token.errcode))
            raise LoginCodeInvalid
        if token.errcode != codes.OK:
            codes.unavailable(self._http, _TOKEN, token.errcode)
        if token.openid is None or token.access_token is None:
            self._http.alarm(_TOKEN, "no_openid")
            raise VendorUnavailable
        return ExternalLogin(await self._names(app, token.openid, token.access_token))

    async def _names(self, app: WebApp, open_id: str, access_token: str) -> tuple[ExternalIdentity, ...]:
        asked = {"access_token": access_token, "openid": open_id, "lang": "zh_CN"}
        user = await self._http.json(_USER, "GET", "/sns/userinfo", _User, query=asked)
        if user.errcode != codes.OK:
            codes.unavailable(self._http, _USER, user.errcode)
        if user.openid != open_id:
            self._http.alarm(_USER, "another_openid")
            raise VendorUnavailable
        own = ExternalIdentity(Provider.WECHAT, app.app_id, ExternalKind.OPEN_ID, open_id)
        if not user.unionid:
            return (own,)
        # Both apps stand under one owner, who is called by the website's.
        return ExternalIdentity(Provider.WECHAT, self._website.app_id, ExternalKind.UNION_ID, user.unionid), own
