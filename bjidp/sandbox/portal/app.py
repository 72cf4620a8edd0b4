"""The portal's addresses: its pages, the way to the server and back, and what the server tells by itself.

Owns who may come to which page, and the portal's cookies, which are its own: another name, another host than the
server's. Started by the demo.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from msgspec import Struct

from bjidp.sandbox.portal.pages import (
    OVER,
    Pages,
    Visitor,
    Words,
    facts_of,
    identity_of,
    name_of,
    organisation_of,
    words_for,
)
from bjidp.sandbox.portal.provider import OVER as TOKEN_OVER
from bjidp.sandbox.portal.provider import LoggedIn, LoginFailed, Provider
from bjidp.sandbox.portal.services import LEVELS, SERVICES, Service
from bjidp.sandbox.portal.sessions import LIFETIME, ON_THE_WAY, OnTheWay, Session, Sessions
from bjidp.sandbox.portal.settings import PortalSettings

_BODY_LIMIT: Final = 16 * 1024
_ENDED: Final = Words("您已退出登录", "您在统一身份认证平台的登录已经结束，首都之窗也随之退出。")
_HERE_ALONE: Final = Words(
    "您已退出首都之窗", "您在统一身份认证平台上可能还保持登录。用公共电脑时，请到个人中心也退出。"
)
_EVERYWHERE: Final = Words("您已退出登录", "首都之窗和统一身份认证平台都已退出。", mark="done")


class _Cookies(Struct, frozen=True):
    """The names of the portal's cookies, which end in its port: browsers do not tell ports apart."""

    session: str
    browser: str
    secure: bool


class Portal:
    """The handlers."""

    def __init__(self, settings: PortalSettings) -> None:
        """Take what the portal was registered with."""
        self._provider = Provider(settings)
        self._sessions = Sessions(settings.clock, settings.entropy)
        self._pages = Pages(issuer=settings.issuer, side_by_side_url=settings.side_by_side_url)
        parts = urlsplit(settings.base_url)
        port = f"_{parts.port}" if parts.port else ""
        self._cookies = _Cookies(f"portal_session{port}", f"portal_browser{port}", parts.scheme == "https")

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        router = app.router
        router.add_get("/", self.home)
        router.add_get("/login", self.login, allow_head=False)
        router.add_get("/login/callback", self.callback, allow_head=False)
        router.add_get("/me", self.me)
        router.add_post("/me/refresh", self.refresh)
        router.add_get("/services/fund", self.fund)
        router.add_get("/services/reminders", self.reminders)
        router.add_get("/services/company", self.company)
        router.add_post("/logout", self.logout)
        router.add_get("/logged-out", self.logged_out, allow_head=False)
        router.add_post("/backchannel-logout", self.backchannel_logout)
        router.add_get("/portal.css", self._pages.style)
        router.add_get("/skyline.svg", self._pages.skyline)
        router.add_get("/health", self.health)

    async def home(self, request: web.Request) -> web.Response:
        """Show the first page."""
        session = self._session(request)
        return self._pages.show(request, "home.html", _visitor(session))

    async def login(self, request: web.Request) -> web.Response:
        """Send somebody to the server, for one of the services."""
        name = request.query.get("for", "me")
        service = SERVICES.get(name)
        if service is None:
            raise web.HTTPNotFound
        session = self._session(request)
        # What was agreed to before stays in the new login.
        scopes = service.scopes | (frozenset() if session is None else session.login.scopes & _KEPT)
        prompt = "none" if request.query.get("prompt") == "none" else None
        try:
            started = await self._provider.start(scopes, service.level, prompt)
        except LoginFailed as failed:
            return self._failed(request, failed, name)
        browser = request.cookies.get(self._cookies.browser) or self._sessions.word()
        self._sessions.send(OnTheWay(started, browser, name))
        answer = web.HTTPSeeOther(started.url)
        self._set(answer, self._cookies.browser, browser, ON_THE_WAY)
        raise answer

    async def callback(self, request: web.Request) -> web.Response:
        """Take somebody back."""
        away = self._sessions.back(request.query.get("state", ""), request.cookies.get(self._cookies.browser, ""))
        if away is None:
            # Somebody else's code must log nobody in here (RFC 6749, section 10.12).
            return self._notice(request, OVER, "me")
        service = SERVICES[away.service]
        try:
            login = await self._provider.finish(away.started, request.query)
            if service.level is not None and login.level < service.level:
                raise LoginFailed("unmet_authentication_requirements")  # noqa: TRY301 - as the server would have said it
        except LoginFailed as failed:
            return self._failed(request, failed, away.service)
        await self._replace(request)
        answer = web.HTTPSeeOther(service.path)
        self._set(answer, self._cookies.session, self._sessions.open(login), LIFETIME)
        raise answer

    async def me(self, request: web.Request) -> web.Response:
        """Show 用户中心."""
        session = self._session(request)
        if session is None:
            return self._login_first(request, "me")
        return self._pages.show(
            request,
            "me.html",
            _visitor(session),
            {"facts": facts_of(session.login), "organisation": organisation_of(session.login)},
        )

    async def refresh(self, request: web.Request) -> web.Response:
        """Read anew what may be read, with new tokens."""
        name, session = await self._posted(request)
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
                    return self._failed(request, failed, "me")
        raise web.HTTPSeeOther("/me")

    async def fund(self, request: web.Request) -> web.Response:
        """Show a service that needs L3."""
        return self._service(request, "fund", "fund.html", lambda login: {"person": identity_of(login)})

    async def reminders(self, request: web.Request) -> web.Response:
        """Show a service that reads on while the person is away."""
        return self._service(request, "reminders", "reminders.html", lambda _: {})

    async def company(self, request: web.Request) -> web.Response:
        """Show a service for organisations."""
        return self._service(request, "company", "company.html", lambda login: {"organisation": organisation_of(login)})

    async def logout(self, request: web.Request) -> web.Response:
        """Log out here, and lead to where one logs out everywhere (OpenID Connect RP-Initiated Logout 1.0)."""
        name, session = await self._posted(request)
        self._sessions.end(name)
        where = None
        if "refresh_token" in session.login.tokens:
            # It would outlive the log-out, and nobody here needs it any more.
            with suppress(LoginFailed):
                await self._provider.forget(session.login)
        with suppress(LoginFailed):
            where = await self._provider.logout_url(session.login, self._sessions.leave())
        answer = web.HTTPSeeOther(where or "/logged-out")
        answer.del_cookie(self._cookies.session, path="/")
        raise answer

    async def logged_out(self, request: web.Request) -> web.Response:
        """Say where somebody has logged out."""
        everywhere = self._sessions.has_left(request.query.get("state", ""))
        return self._notice(request, _EVERYWHERE if everywhere else _HERE_ALONE, "me")

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

    async def health(self, _: web.Request) -> web.Response:
        """Say that it is alive."""
        return web.json_response({"status": "ok"})

    def _service(self, request: web.Request, name: str, template: str, values: _Values) -> web.Response:
        session = self._session(request)
        if session is None:
            return self._login_first(request, name)
        service = SERVICES[name]
        if service.missing(session.login.scopes, session.login.level):
            return self._needs(request, name, service, session)
        return self._pages.show(request, template, _visitor(session), {"name": service.name, **values(session.login)})

    def _needs(self, request: web.Request, name: str, service: Service, session: Session | None) -> web.Response:
        below = service.level is not None and (session is None or session.login.level < service.level)
        return self._pages.show(
            request,
            "needs.html",
            _visitor(session),
            {
                "name": service.name,
                "login": f"/login?for={name}",
                "level": LEVELS[service.level] if below and service.level is not None else None,
                "has": None if session is None else LEVELS.get(session.login.level, session.login.level),
            },
        )

    def _login_first(self, request: web.Request, name: str) -> web.Response:
        if self._sessions.was_told(request.cookies.get(self._cookies.session, "")):
            return self._notice(request, _ENDED, name)
        return self._needs(request, name, SERVICES[name], None)

    def _failed(self, request: web.Request, failed: LoginFailed, service: str) -> web.Response:
        return self._notice(request, words_for(failed.code), service)

    def _notice(self, request: web.Request, words: Words, service: str) -> web.Response:
        visitor = _visitor(self._session(request))
        return self._pages.show(request, "notice.html", visitor, {"words": words, "login": f"/login?for={service}"})

    def _session(self, request: web.Request) -> Session | None:
        return self._sessions.find(request.cookies.get(self._cookies.session, ""))

    async def _posted(self, request: web.Request) -> tuple[str, Session]:
        """Return the session of a form that one of our own pages has sent."""
        name = request.cookies.get(self._cookies.session, "")
        session = self._sessions.find(name)
        if session is None:
            raise web.HTTPSeeOther("/me")
        sent = (await request.post()).get("csrf")
        if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), session.csrf.encode()):
            raise web.HTTPForbidden
        return name, session

    async def _replace(self, request: web.Request) -> None:
        """End the session that a new login takes the place of, and give its tokens back."""
        name = request.cookies.get(self._cookies.session, "")
        before = self._sessions.find(name)
        if before is None:
            return
        self._sessions.end(name)
        with suppress(LoginFailed):
            await self._provider.forget(before.login)

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


_Values = Callable[[LoggedIn], Mapping[str, object]]
_KEPT: Final = frozenset(scope for service in SERVICES.values() for scope in service.kept)


def build_portal(settings: PortalSettings) -> web.Application:
    """Return the portal, ready to be served at ``settings.base_url``."""
    app = web.Application(client_max_size=_BODY_LIMIT)
    Portal(settings).mount(app)
    return app


def _visitor(session: Session | None) -> Visitor | None:
    if session is None:
        return None
    level = session.login.level
    return Visitor(name_of(session.login), LEVELS.get(level, level), session.csrf)
