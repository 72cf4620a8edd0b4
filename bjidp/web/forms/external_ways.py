"""A browser's ways to providers and back: the secret that it keeps meanwhile, and what it brings with it.

Called by the pages of a login by a provider, and by those where whoever is logged in binds one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from aiohttp import web
from msgspec import Struct

from bjidp.accounts.external.flow import Binding
from bjidp.entropy import Entropy, token
from bjidp.platforms import Provider
from bjidp.web.forms.desk import Asker, Desk
from bjidp.web.http.cookies import Cookies

SECRET_LENGTH: Final = 43
"""256 bits in base64url."""

_OWN_BROWSER: Final = {Provider.WECHAT: "WeChat", Provider.ALIPAY: "Alipay", Provider.BAIDU: "Baidu"}
"""What the browser of each provider's app is called among those we tell apart."""


class CameBack(Struct, frozen=True):
    """What a browser brings back from a provider; ``secret`` it had with it, and may be anything."""

    provider: Provider
    secret: str | None
    state: str
    code: str

    def __repr__(self) -> str:
        """Show whom from alone: the rest opens something."""
        return f"CameBack({self.provider}, ***)"


ToOwner: TypeAlias = Callable[[web.Request, Asker, CameBack, Binding], Awaitable[web.Response]]
"""Answers who comes back on a way that whoever is logged in has begun."""


class ExternalWays:
    """Keeps the secret in a cookie."""

    def __init__(self, desk: Desk, cookies: Cookies, entropy: Entropy) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._desk = desk
        self._cookies = cookies
        self._entropy = entropy

    def secret(self, request: web.Request) -> str | None:
        """Return the browser's secret, None where it has brought nothing that could be one."""
        secret = self._cookies.external_secret(request)
        return secret if secret is not None and len(secret) == SECRET_LENGTH else None

    def secret_to_leave_with(self, request: web.Request) -> str:
        """Return the secret of a browser that is sent away: its ways in other tabs go on, by names of their own."""
        return self.secret(request) or token(self._entropy, 256)

    def send(self, asker: Asker, page: str, secret: str) -> web.Response:
        """Send the browser to a provider's ``page``."""
        response = self._desk.lead(asker, page)
        self._cookies.set_external(response, secret)
        return response


def is_inside(asker: Asker, provider: Provider) -> bool:
    """Tell whether somebody is at the browser of the provider's own app."""
    return asker.visitor.computer.browser == _OWN_BROWSER.get(provider)
