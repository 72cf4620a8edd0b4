"""Alipay's login: a ``my.getAuthCode`` code becomes an open_id.

Owns ``alipay.system.oauth.token``. The tokens in its answer would let us act for the user; they are not decoded.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from bjidp.platforms import Platform, PlatformIdentity
from bjidp.vendors.alipay.gateway import AlipayGateway, Refusal
from bjidp.vendors.ports.platforms import LoginCodeInvalid, PlatformLogin

_METHOD: Final = "alipay.system.oauth.token"
_CODE_REFUSED: Final = "isv.code-invalid"


class _Token(Struct, frozen=True):
    open_id: Annotated[str, Meta(max_length=128)] = ""
    user_id: Annotated[str, Meta(max_length=128)] = ""


class AlipaySignIn:
    """Implements :class:`bjidp.vendors.ports.platforms.PlatformSignIn`."""

    def __init__(self, gateway: AlipayGateway, *, app_id: str) -> None:
        """Sign in to the mini-program ``app_id``."""
        self._gateway = gateway
        self._app_id = app_id

    async def exchange(self, code: str) -> PlatformLogin:
        if not code:
            raise LoginCodeInvalid
        answer = await self._gateway.execute(_METHOD, {"grant_type": "authorization_code", "code": code}, _Token)
        if isinstance(answer, Refusal):
            if answer.sub_code == _CODE_REFUSED:
                self._gateway.refused(_METHOD, answer)
                raise LoginCodeInvalid
            raise self._gateway.unavailable(_METHOD, answer)
        # Newer apps get an open_id alone; an older one keeps the user_id it has always had.
        open_id = answer.open_id or answer.user_id
        if not open_id:
            raise self._gateway.lying(_METHOD, "no_open_id")
        return PlatformLogin(PlatformIdentity(Platform.ALIPAY, self._app_id, open_id), None)
