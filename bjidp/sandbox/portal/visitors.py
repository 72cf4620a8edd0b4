"""Who comes to the portal: its cookies, which are its own, and what every page is given.

Owns the cookies: another name, another host than the server's. Called by ``app`` and ``entering``.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Struct

from bjidp.sandbox.portal.logins import LoggedIn, LoginFailed
from bjidp.sandbox.portal.pages import Pages, Visitor, Words, name_of, words_for
from bjidp.sandbox.portal.services import LEVELS
from bjidp.sandbox.portal.sessions import LIFETIME, ON_THE_WAY, Session, Sessions

_REFUSALS: Final = {
    HTTPStatus.NOT_FOUND: Words("没有找到这个页面", "请检查地址，或者从首页重新开始。", again=None),
    HTTPStatus.FORBIDDEN: Words("这个页面已经过期", "您可能在别的窗口重新登录过。请从首页重新开始。", again=None),
}
_OTHERWISE: Final = Words("这个地址不能这样使用", "请从首页重新开始。", again=None)


class _Cookies(Struct, frozen=True):
    """The names of the portal's cookies, which end in its port: browsers do not tell ports apart."""

    session: str
    browser: str
    secure: bool


class Visitors:
    """Knows them by their cookies, and shows them pages."""

    def __init__(self, sessions: Sessions, pages: Pages, base_url: str) -> None:
        """Know those who are logged in by ``sessions``."""
        self._sessions = sessions
        self._pages = pages
        parts = urlsplit(base_url)
        port = f"_{parts.port}" if parts.port else ""
        self._cookies = _Cookies(f"portal_session{port}", f"portal_browser{port}", parts.scheme == "https")

    def name(self, request: web.Request) -> str:
        """Return the session that a browser says it has."""
        return request.cookies.get(self._cookies.session, "")

    def browser(self, request: web.Request) -> str:
        """Return what the browser was given when it was last sent to the server; nothing for one that was not."""
        return request.cookies.get(self._cookies.browser, "")

    def session(self, request: web.Request) -> Session | None:
        """Return who is logged in."""
        return self._sessions.find(self.name(request))

    async def posted(self, request: web.Request) -> tuple[str, Session]:
        """Return the session of a form that one of our own pages has sent."""
        name = self.name(request)
        session = self._sessions.find(name)
        if session is None:
            raise web.HTTPSeeOther("/me")
        sent = (await request.post()).get("csrf")
        if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), session.csrf.encode()):
            raise web.HTTPForbidden
        return name, session

    def let_in(self, answer: web.HTTPSeeOther, login: LoggedIn) -> None:
        """Open a session, and give the browser its cookie."""
        self._set(answer, self._cookies.session, self._sessions.open(login), LIFETIME)

    def put_out(self, answer: web.HTTPSeeOther) -> None:
        """Take the cookie back."""
        answer.del_cookie(self._cookies.session, path="/")

    def send(self, answer: web.HTTPSeeOther, browser: str) -> None:
        """Know a browser again that is sent to the server."""
        self._set(answer, self._cookies.browser, browser, ON_THE_WAY)

    def show(self, request: web.Request, template: str, values: Mapping[str, object] | None = None) -> web.Response:
        """Show a page to whoever asks."""
        return self._pages.show(request, template, _visitor(self.session(request)), values)

    def notice(self, request: web.Request, words: Words, service: str) -> web.Response:
        """Say something, and lead to a login for a service."""
        return self.show(request, "notice.html", {"words": words, "login": f"/login?for={service}"})

    @web.middleware
    async def in_words(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Show people a page where a request is refused; what programs ask is answered as it was."""
        try:
            return await handler(request)
        except web.HTTPClientError as refused:
            if "text/html" not in request.headers.get("Accept", ""):
                raise
            answer = self.notice(request, _REFUSALS.get(HTTPStatus(refused.status), _OTHERWISE), "me")
            answer.set_status(refused.status)
            return answer

    def failed(self, request: web.Request, failed: LoginFailed, service: str) -> web.Response:
        """Say why a login has not come about."""
        return self.notice(request, words_for(failed.code), service)

    def _set(self, answer: web.HTTPSeeOther, name: str, value: str, lifetime: int) -> None:
        answer.set_cookie(
            name,
            value,
            max_age=lifetime // 1000,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self._cookies.secure,
        )


def _visitor(session: Session | None) -> Visitor | None:
    if session is None:
        return None
    level = session.login.level
    return Visitor(name_of(session.login), LEVELS.get(level, level), session.csrf)
