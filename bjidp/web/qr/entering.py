"""Who may watch a flow: the check that every way into the QR channel makes.

Owns what the channel and the pages without JavaScript ask of a request before they show anything of a flow.
"""

from __future__ import annotations

from aiohttp import web

from bjidp.qrlogin.errors import AlreadySignedIn, FlowUnknown
from bjidp.qrlogin.pages import Entry, QrPages
from bjidp.qrlogin.policy import Purpose
from bjidp.sessions.service import Sessions
from bjidp.web.forms.signed_in import SignedIn
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import Observer


class Entrance:
    """Lets browsers in to their flows."""

    def __init__(
        self, *, cookies: Cookies, observer: Observer, pages: QrPages, signed_in: SignedIn, sessions: Sessions
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._cookies = cookies
        self._observer = observer
        self._pages = pages
        self._signed_in = signed_in
        self._sessions = sessions

    async def enter(self, request: web.Request, flow: str | None) -> Entry:
        """Return the right to watch a flow.

        Raises :class:`BrowserUnknown`; :class:`FlowUnknown` for a flow that is not this browser's, or not its
        session's (attack W6); :class:`AlreadySignedIn` where a login is over already.
        """
        visitor = self._observer.visitor(request)
        entry = await self._pages.enter(self._cookies.browser_secret(request), flow, visitor)
        about = entry.ref.about
        if about.purpose is Purpose.LOGIN:
            if await self._signed_in.of(request) is not None:
                raise AlreadySignedIn
        elif about.errand is not None:
            owner = await self._signed_in.of(request)
            if about.errand.session != (None if owner is None else owner.session.id):
                raise FlowUnknown
        return entry

    async def stays(self, request: web.Request, entry: Entry) -> bool:
        """Tell whether the right still holds once the flow is watched.

        A session that ends meanwhile ends the flows that there are: either it has found this one, or it is found here
        to have ended.
        """
        errand = entry.ref.about.errand
        if errand is None or errand.session is None:
            return True
        owner = await self._signed_in.of(request)
        return owner is not None and await self._sessions.lives(owner.session)
