"""Alipay's login for websites: an ``auth_code`` of its page becomes an open_id.

Owns ``publicAppAuthorize.htm``, and for this login ``alipay.system.oauth.token`` and ``alipay.user.info.share``. The
second question is the one that the person has agreed to; whoever it is about has to be the one that the token is of.
"""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlencode

from msgspec import Meta, Struct

from bjidp.platforms import ExternalIdentity, ExternalKind, Provider
from bjidp.vendors.alipay.gateway import AlipayGateway, Refusal
from bjidp.vendors.ports.platforms import LoginCodeInvalid
from bjidp.vendors.ports.providers import ExternalLogin

_TOKEN: Final = "alipay.system.oauth.token"  # noqa: S105 - the name of a method
_USER: Final = "alipay.user.info.share"
_CODE_REFUSED: Final = "isv.code-invalid"


class _User(Struct, frozen=True):
    open_id: Annotated[str, Meta(max_length=128)] = ""
    user_id: Annotated[str, Meta(max_length=128)] = ""


class _Token(_User, frozen=True):
    access_token: Annotated[str, Meta(max_length=512)] = ""


class AlipayWebSignIn:
    """Implements :class:`bjidp.vendors.ports.providers.WebSignIn`."""

    code_parameter = "auth_code"

    def __init__(self, gateway: AlipayGateway, *, app_id: str, page_url: str) -> None:
        """Sign in to the web application ``app_id``."""
        self._gateway = gateway
        self._app_id = app_id
        self._page_url = page_url

    def page(self, callback: str, state: str, *, inside: bool) -> str:
        del inside  # Alipay's own browser opens the same page
        asked = {"app_id": self._app_id, "scope": "auth_user", "redirect_uri": callback, "state": state}
        return f"{self._page_url}?{urlencode(asked)}"

    async def exchange(self, code: str, callback: str, *, inside: bool) -> ExternalLogin:
        del callback, inside  # Alipay asks for neither again
        if not code:
            raise LoginCodeInvalid
        token = await self._gateway.execute(_TOKEN, {"grant_type": "authorization_code", "code": code}, _Token)
        if isinstance(token, Refusal):
            if token.sub_code == _CODE_REFUSED:
                self._gateway.refused(_TOKEN, token)
                raise LoginCodeInvalid
            raise self._gateway.unavailable(_TOKEN, token)
        names = self._names(token)
        if not names or not token.access_token:
            raise self._gateway.lying(_TOKEN, "no_open_id")
        user = await self._gateway.execute(_USER, {}, _User, auth_token=token.access_token)
        if isinstance(user, Refusal):
            raise self._gateway.unavailable(_USER, user)
        # It may tell one name of two, but not another user's.
        if set(names).isdisjoint(self._names(user)) or _differs(token, user):
            raise self._gateway.lying(_USER, "another_open_id")
        return ExternalLogin(names)

    def _names(self, user: _User) -> tuple[ExternalIdentity, ...]:
        """Return what a user is called: newer apps are told an open_id alone, older ones both or a user_id alone."""
        names = []
        if user.open_id:
            names.append(ExternalIdentity(Provider.ALIPAY, self._app_id, ExternalKind.OPEN_ID, user.open_id))
        if user.user_id:
            names.append(ExternalIdentity(Provider.ALIPAY, "", ExternalKind.USER_ID, user.user_id))
        return tuple(names)


def _differs(token: _User, user: _User) -> bool:
    pairs = ((token.open_id, user.open_id), (token.user_id, user.user_id))
    return any(one and other and one != other for one, other in pairs)
