"""Baidu's login for websites: a code of its page becomes an openid.

Owns ``oauth/2.0/authorize``, and for this login ``oauth/2.0/token`` and ``passport/users/getInfo``. The token's answer
does not say whose it is.
"""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlencode

from msgspec import Meta, Struct

from bjidp.errors import VendorUnavailable
from bjidp.platforms import ExternalIdentity, ExternalKind, Provider
from bjidp.secret import Secret
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.platforms import LoginCodeInvalid
from bjidp.vendors.ports.providers import ExternalLogin

_TOKEN: Final = "oauth.token"  # noqa: S105 - the name of a question
_USER: Final = "users.getInfo"


class _Token(Struct, frozen=True):
    access_token: Annotated[str, Meta(max_length=512)] = ""
    error: str | None = None


class _User(Struct, frozen=True):
    error_code: int | str = 0
    openid: Annotated[str, Meta(max_length=128)] = ""
    userid: Annotated[str, Meta(max_length=128)] | int = ""


class BaiduWebSignIn:
    """Implements :class:`bjidp.vendors.ports.providers.WebSignIn`; the app id of its identities is the API Key."""

    code_parameter = "code"

    def __init__(self, http: VendorHttp, *, client_id: str, client_secret: Secret, page_url: str) -> None:
        """Sign in to the web application of ``client_id``."""
        self._http = http
        self._client_id = client_id
        self._client_secret = client_secret
        self._page_url = page_url

    def page(self, callback: str, state: str, *, inside: bool) -> str:
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": callback,
            "scope": "basic",
            "state": state,
            "display": "mobile" if inside else "page",
        }
        return f"{self._page_url}?{urlencode(asked)}"

    async def exchange(self, code: str, callback: str, *, inside: bool) -> ExternalLogin:
        del inside  # the same app everywhere
        if not code:
            raise LoginCodeInvalid
        token = await self._http.json(
            _TOKEN,
            "POST",
            "/oauth/2.0/token",
            _Token,
            form={
                "grant_type": "authorization_code",
                "code": code,
                "client_id": self._client_id,
                "client_secret": self._client_secret.text(),
                "redirect_uri": callback,
            },
        )
        if token.error == "invalid_grant":
            self._http.refused(_TOKEN, token.error)
            raise LoginCodeInvalid
        if token.error is not None or not token.access_token:
            self._http.alarm(_TOKEN, token.error or "no_token")
            raise VendorUnavailable
        return ExternalLogin((await self._name(token.access_token),))

    async def _name(self, access_token: str) -> ExternalIdentity:
        user = await self._http.json(
            _USER, "GET", "/rest/2.0/passport/users/getInfo", _User, query={"access_token": access_token}
        )
        if user.error_code not in {0, "0", ""}:
            self._http.alarm(_USER, str(user.error_code))
            raise VendorUnavailable
        if user.openid:
            return ExternalIdentity(Provider.BAIDU, self._client_id, ExternalKind.OPEN_ID, user.openid)
        # Apps from before Baidu had openids are told the number of the user, as a number or as text.
        user_id = str(user.userid)
        if user_id in {"", "0"}:
            self._http.alarm(_USER, "no_openid")
            raise VendorUnavailable
        return ExternalIdentity(Provider.BAIDU, "", ExternalKind.USER_ID, user_id)
