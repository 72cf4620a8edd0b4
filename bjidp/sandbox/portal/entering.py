"""The way to the server and back, the way out, and what the server tells by itself.

Owns the addresses of these. Mounted by ``app``.
"""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import Final

from aiohttp import web

from bjidp.sandbox.portal.logins import OVER as TOKEN_OVER
from bjidp.sandbox.portal.logins import LoginFailed
from bjidp.sandbox.portal.pages import OVER, Words
from bjidp.sandbox.portal.provider import Provider
from bjidp.sandbox.portal.services import SERVICES
from bjidp.sandbox.portal.sessions import OnTheWay, Sessions
from bjidp.sandbox.portal.visitors import Visitors

_HERE_ALONE: Final = Words(
    "您已退出首都之窗", "您在统一身份认证平台上可能还保持登录。用公共电脑时，请到个人中心也退出。"
)
_EVERYWHERE: Final = Words("您已退出登录", "首都之窗和统一身份认证平台都已退出。", mark="done")

_KEPT: Final = frozenset(scope for service in SERVICES.values() for scope in service.kept)


class Entering:
    """The handlers."""

    def __init__(self, provider: Provider, sessions: Sessions, visitors: Visitors) -> None:
        """Log people in by the ``provider``."""
        self._provider = provider
        self._sessions = sessions
        self._visitors = visitors

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        router = app.router
        router.add_get("/login", self.login, allow_head=False)
        router.add_get("/login/callback", self.callback, allow_head=False)
        router.add_post("/me/refresh", self.refresh)
        router.add_post("/logout", self.logout)
        router.add_get("/logged-out", self.logged_out, allow_head=False)
        router.add_post("/backchannel-logout", self.backchannel_logout)

    async def login(self, request: web.Request) -> web.Response:
        """Send somebody to the server, for one of the services."""
        name = request.query.get("for", "me")
        service = SERVICES.get(name)
        if service is None:
            raise web.HTTPNotFound
        session = self._visitors.session(request)
        # What was agreed to before stays in the new login.
        scopes = service.scopes | (frozenset() if session is None else session.login.scopes & _KEPT)
        prompt = "none" if request.query.get("prompt") == "none" else None
        try:
            started = await self._provider.start(scopes, service.level, prompt)
        except LoginFailed as failed:
            return self._visitors.failed(request, failed, name)
        browser = self._visitors.browser(request) or self._sessions.word()
        self._sessions.send(OnTheWay(started, browser, name))
        answer = web.HTTPSeeOther(started.url)
        self._visitors.send(answer, browser)
        raise answer

    async def callback(self, request: web.Request) -> web.Response:
        """Take somebody back."""
        away = self._sessions.back(request.query.get("state", ""), self._visitors.browser(request))
        if away is None:
            # Somebody else's code must log nobody in here (RFC 6749, section 10.12).
            return self._visitors.notice(request, OVER, "me")
        service = SERVICES[away.service]
        try:
            login = await self._provider.finish(away.started, request.query)
            if service.level is not None and login.level < service.level:
                raise LoginFailed("unmet_authentication_requirements")  # noqa: TRY301 - as the server would have said it
        except LoginFailed as failed:
            return self._visitors.failed(request, failed, away.service)
        await self._replace(request)
        answer = web.HTTPSeeOther(service.path)
        self._visitors.let_in(answer, login)
        raise answer

    async def refresh(self, request: web.Request) -> web.Response:
        """Read anew what may be read, with new tokens."""
        name, session = await self._visitors.posted(request)
        async with session.turn:
            if self._sessions.find(name) is session:
                try:
                    session.login = await self._provider.renewed(session.login)
                except LoginFailed as failed:
                    if failed.code in {TOKEN_OVER, "invalid_grant"}:
                        self._sessions.end(name)
                    if failed.code == TOKEN_OVER:
                        # Its time may be over, or the login it came of: the server knows, and asks nobody twice.
                        raise web.HTTPSeeOther("/login") from None
                    return self._visitors.failed(request, failed, "me")
        raise web.HTTPSeeOther("/me")

    async def logout(self, request: web.Request) -> web.Response:
        """Log out here, and lead to where one logs out everywhere (OpenID Connect RP-Initiated Logout 1.0)."""
        name, session = await self._visitors.posted(request)
        self._sessions.end(name)
        where = None
        if "refresh_token" in session.login.tokens:
            # It would outlive the log-out, and nobody here needs it any more.
            with suppress(LoginFailed):
                await self._provider.forget(session.login)
        with suppress(LoginFailed):
            where = await self._provider.logout_url(session.login, self._sessions.leave())
        answer = web.HTTPSeeOther(where or "/logged-out")
        self._visitors.put_out(answer)
        raise answer

    async def logged_out(self, request: web.Request) -> web.Response:
        """Say where somebody has logged out."""
        everywhere = self._sessions.has_left(request.query.get("state", ""))
        return self._visitors.notice(request, _EVERYWHERE if everywhere else _HERE_ALONE, "me")

    async def backchannel_logout(self, request: web.Request) -> web.Response:
        """Take what the server tells by itself (OpenID Connect Back-Channel Logout 1.0, section 2.8)."""
        token = (await request.post()).get("logout_token")
        try:
            if not isinstance(token, str):
                raise LoginFailed("invalid_request")  # noqa: TRY301 - one answer for whatever is wrong
            self._sessions.end_told(await self._provider.ended(token))
        except LoginFailed:
            answer = web.json_response({"error": "invalid_request"}, status=HTTPStatus.BAD_REQUEST)
        else:
            answer = web.Response()
        answer.headers["Cache-Control"] = "no-store"
        return answer

    async def _replace(self, request: web.Request) -> None:
        """End the session that a new login takes the place of, and give its tokens back."""
        name = self._visitors.name(request)
        before = self._sessions.find(name)
        if before is None:
            return
        self._sessions.end(name)
        with suppress(LoginFailed):
            await self._provider.forget(before.login)
