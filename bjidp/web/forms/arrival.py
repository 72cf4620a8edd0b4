"""Letting somebody in on a page: the session, its cookie, and what is over with it.

Owns what every login by a form has in common, whoever has checked that it is right. Called by the handlers of logins
and of registration; the login by QR has its own way in, :mod:`bjidp.web.qr.redeem`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from aiohttp import web

from bjidp.errors import BjidpError, StoreUnavailable
from bjidp.qrlogin.browsers import Browsers
from bjidp.sessions.known import KnownBrowsers
from bjidp.sessions.ports import Login, SessionEnd, Way
from bjidp.sessions.service import Sessions
from bjidp.standing import Standing
from bjidp.web.forms.desk import Asker
from bjidp.web.http.cookies import Cookies

log = structlog.get_logger(__name__)


class Arrivals:
    """Opens sessions for people at pages."""

    def __init__(self, *, sessions: Sessions, browsers: Browsers, cookies: Cookies, known: KnownBrowsers) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._sessions = sessions
        self._browsers = browsers
        self._cookies = cookies
        self._known = known

    def known_as(self, request: web.Request) -> Callable[[Standing], str | None]:
        """Return what tells whether an account has logged in on this browser before, and what the browser is called."""
        cookie = self._cookies.known_cookie(request)
        return lambda account: self._known.known_as(cookie, account)

    async def let_in(
        self,
        request: web.Request,
        asker: Asker,
        account: Standing,
        way: Way,
        *,
        where: str,
        platform: str | None = None,
        data: dict[str, str] | None = None,
        browser_stays: bool = False,
        still_right: Callable[[], Awaitable[None]] | None = None,
        entered: Callable[[str], Awaitable[str | None]] | None = None,
    ) -> web.Response:
        """Open a session for ``account`` and lead to ``where``; a session this browser had is dead (attack T1).

        ``platform`` is whose users' login it was, for a way that has some. The session has ``data`` from its first
        moment on. With ``browser_stays`` the record of the browser lives on,
        for a form that can be posted again when this answer is lost. ``still_right`` is asked once the session is
        there, and raises if the login is not right any more: then the session is ended, and nobody has its cookie.
        ``entered`` is told the public id of the session, and returns the one that it takes the place of, if any.
        Raises ``AccountRefused`` and ``StoreUnavailable``.
        """
        computer = asker.visitor.computer
        login = Login(
            way=way,
            platform=platform,
            link=None,
            browser=computer.browser,
            os=computer.os,
            area=None if computer.area is None else computer.area.label,
            network=computer.network,
            ticket=None,
        )
        cookie = await self._sessions.start(account.account, login, self._cookies.session_cookie(request), data)
        if still_right is not None:
            try:
                await still_right()
            except BjidpError:
                await self._take_back(cookie)
                raise
        if entered is not None:
            await self._settle(cookie, entered)
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": where, "Cache-Control": "no-store"})
        self._cookies.set_session(response, cookie)
        if not browser_stays:
            await self._end_browser(request)
            self._cookies.drop_browser(response)
        self.remember(request, response, account)
        return response

    def remember(self, request: web.Request, response: web.StreamResponse, account: Standing) -> None:
        """Let the browser be known to ``account`` from now on."""
        self._cookies.set_known(response, self._known.remembering(self._cookies.known_cookie(request), account))

    async def _end_browser(self, request: web.Request) -> None:
        try:
            await self._browsers.end(self._cookies.browser_secret(request))
        except StoreUnavailable:
            # The session exists and must be handed out; the secret dies with its record.
            log.warning("browser_record_left")

    async def _settle(self, cookie: str, entered: Callable[[str], Awaitable[str | None]]) -> None:
        try:
            found = await self._sessions.find(cookie)
            if found is None:
                return
            session = found[0]
            before = await entered(session.id)
            if before is not None:
                await self._sessions.end_one(session.account, before, SessionEnd.REPLACED)
        except StoreUnavailable:
            # The session exists and must be handed out; one that is left too many is in the list of its owner.
            log.warning("login_not_settled")

    async def _take_back(self, cookie: str) -> None:
        found = await self._sessions.find(cookie)
        if found is not None:
            await self._sessions.end(found[0], SessionEnd.INVALIDATED)
