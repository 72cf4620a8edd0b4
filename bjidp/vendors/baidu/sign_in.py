"""Baidu's login: a ``swan.getLoginCode`` code becomes an openid.

Owns ``oauth/jscode2sessionkey``, whose errors come in two dialects: OAuth's ``error`` (2020) and ``errno`` (2021). The
session key in the answer is a secret from the moment it is read (attack M1).
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from bjidp.errors import VendorUnavailable
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.secret import Secret
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.platforms import LoginCodeInvalid, PlatformLogin

_OPERATION: Final = "jscode2sessionkey"

# Of all errno values only this one is published: a field of the request is wrong, and the description names it.
_PARAMETER_INVALID: Final = 10010100
_OUR_FIELDS: Final = ("ClientID", "Sk")


class _Session(Struct, frozen=True):
    errno: int = 0
    error: str | None = None
    error_description: str | None = None
    openid: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    session_key: Annotated[str, Meta(max_length=128)] = ""

    @property
    def failed(self) -> bool:
        return self.errno != 0 or bool(self.error)

    @property
    def reason(self) -> str:
        return str(self.errno) if self.errno else self.error or ""

    @property
    def our_fault(self) -> bool:
        """Whether the credentials of the app are refused, rather than the code.

        An errno we don't know counts as the code's: among them is that of a used code, and a person who sends one
        must be told to log in again, not that Baidu is down.
        """
        if self.errno == _PARAMETER_INVALID:
            described = self.error_description or ""
            return any(f"'Code2SessionKeyParam.{field}'" in described for field in _OUR_FIELDS)
        if self.errno:
            return self.error == "invalid_client"
        return self.error != "invalid_grant"


class BaiduSignIn:
    """Implements :class:`bjidp.vendors.ports.platforms.PlatformSignIn`; the app id of its identities is the AppKey."""

    def __init__(self, http: VendorHttp, *, app_key: str, app_secret: Secret) -> None:
        """Sign in to the smart program of ``app_key``."""
        self._http = http
        self._app_key = app_key
        self._app_secret = app_secret

    async def exchange(self, code: str) -> PlatformLogin:
        if not code:
            raise LoginCodeInvalid
        session = await self._http.json(
            _OPERATION,
            "POST",
            "/oauth/jscode2sessionkey",
            _Session,
            form={"code": code, "client_id": self._app_key, "sk": self._app_secret.text()},
        )
        if session.failed and not session.our_fault:
            self._http.refused(_OPERATION, session.reason)
            raise LoginCodeInvalid
        if session.failed or session.openid is None:
            self._http.alarm(_OPERATION, session.reason or "no_openid")
            raise VendorUnavailable
        identity = PlatformIdentity(Platform.BAIDU, self._app_key, session.openid)
        return PlatformLogin(identity, Secret(session.session_key) if session.session_key else None)
