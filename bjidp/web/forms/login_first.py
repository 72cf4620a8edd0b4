"""Who has to log in first: led to the login page, and back to the page they asked for afterwards.

Owns how that page is kept: it is what a login flow of the browser is for, so it lies with the server, is one of our own
addresses, and no client ever sends it (attack T4). Called by the pages of whoever is logged in, and by the logins.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.qrlogin.browsers import Browsers
from bjidp.qrlogin.errors import BrowserUnknown
from bjidp.qrlogin.flow import Client, Purposeful
from bjidp.qrlogin.policy import Purpose
from bjidp.throttle.ports import Throttle
from bjidp.web.forms.desk import OPENED, Asker
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import Observer, at
from bjidp.web.pages.login import Away

DEVICE: Final = "/device"
"""Where whoever is logged in types the code of a device (RFC 8628, section 3.3)."""

HOME: Final = "/centre"
"""个人中心, below which every page is that of whoever is logged in."""


class LoginFirst:
    """Turns people away, and knows what from."""

    def __init__(
        self, *, client: Client, browsers: Browsers, cookies: Cookies, observer: Observer, throttle: Throttle
    ) -> None:
        """Keep pages in ``browsers``; ``client`` is whom a login on our own page is for."""
        self._client = client
        self._browsers = browsers
        self._cookies = cookies
        self._observer = observer
        self._throttle = throttle

    async def lead_for(self, request: web.Request, client: Client, where: str) -> web.HTTPSeeOther:
        """Return the way to the login page for ``client``, which leads to ``where``, an address that we made ourselves.

        Raises ``RateLimited`` and ``StoreUnavailable``.
        """
        await self._observer.source(request).hit(self._throttle, "page.opened", OPENED)
        return await self._led(request, Purposeful(Purpose.LOGIN, client, where), self._secret(request, None))

    async def lead(self, request: web.Request, asker: Asker | None = None) -> web.HTTPSeeOther:
        """Return the way to the login page, which leads back to the page of ``request``.

        ``asker`` is who asks, if that was found out already: a browser's secret may be another one since. Raises
        ``RateLimited`` and ``StoreUnavailable``.
        """
        await self._observer.source(request).hit(self._throttle, "page.opened", OPENED)
        # The path alone: what follows it is the client's, and names a form that went with its session.
        page = request.path if is_own(request.path) or is_device(request.path) else at(request, HOME)
        about = Purposeful(Purpose.LOGIN, self._client, page)
        return await self._led(request, about, self._secret(request, asker))

    async def _led(self, request: web.Request, about: Purposeful, secret: str | None) -> web.HTTPSeeOther:
        opened = await self._browsers.open_page(secret, about)
        way = web.HTTPSeeOther(at(request, "/login"))
        self._cookies.set_browser(way, opened.secret)
        return way

    async def onward(self, request: web.Request, asker: Asker, home: str) -> str:
        """Return where a login on this browser leads: to the page somebody was turned away from, else to ``home``."""
        return leads(await self.about(request, asker), home)

    async def about(self, request: web.Request, asker: Asker) -> Purposeful | None:
        """Return what the login page of this browser was opened for last, None where it never was."""
        try:
            return (await self._browsers.find(self._secret(request, asker))).value.newest(Purpose.LOGIN)
        except BrowserUnknown:
            return None

    def _secret(self, request: web.Request, asker: Asker | None) -> str | None:
        fresh = None if asker is None else asker.secret
        return fresh or self._cookies.browser_secret(request)

    def away(self, request: web.Request, where: str) -> Away | None:
        """Return what is said above a login that leads to ``where``, to somebody who is not logged in.

        A cookie that opens no session is one of a session that has ended.
        """
        leads_back = where not in {HOME, at(request, HOME)}
        if self._cookies.session_cookie(request) is not None:
            return Away.ENDED_BACK if leads_back else Away.ENDED
        # Whoever comes from a site reads its name above the login already.
        return Away.FIRST if leads_back and (is_own(where) or is_device(where)) else None


def leads(about: Purposeful | None, home: str) -> str:
    """Return where a login leads that is for ``about``, as :meth:`LoginFirst.onward` does."""
    return home if about is None or about.next == HOME else about.next


def is_device(path: str) -> bool:
    """Tell whether ``path`` is of the page where somebody types the code of a device."""
    return path.removeprefix("/h5") == DEVICE


def is_own(path: str) -> bool:
    """Tell whether ``path`` is of a page that only whoever is logged in is shown."""
    path = path.removeprefix("/h5")
    return path == HOME or path.startswith(f"{HOME}/")
