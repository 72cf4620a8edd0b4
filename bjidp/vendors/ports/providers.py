"""Logins for websites that others offer: 国家政务服务平台, 支付宝, 微信, 百度 (LOG-4)."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from bjidp.platforms import ExternalIdentity


class ExternalLogin(Struct, frozen=True):
    """Who logged in at a provider: every name that it told for this login, the one to keep first."""

    names: tuple[ExternalIdentity, ...]


class WebSignIn(Protocol):
    """A provider's login for websites: the browser is sent to its page, and comes back with a one-use code."""

    code_parameter: str
    """What the code is called in the address that the browser comes back to."""

    def page(self, callback: str, state: str, *, inside: bool) -> str:
        """Return where the browser is sent, to come back to ``callback`` with ``state``, which is hexadecimal.

        ``inside`` tells that it is the browser of the provider's own app.
        """
        ...

    async def exchange(self, code: str, callback: str, *, inside: bool) -> ExternalLogin:
        """Redeem ``code``, which came back to ``callback``, within the seconds of two calls.

        Raises :class:`LoginCodeInvalid` and ``VendorUnavailable``.
        """
        ...
