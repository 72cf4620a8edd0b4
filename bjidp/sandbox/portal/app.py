"""The portal's pages and services, by their addresses.

Owns who may come to which page. Started by the demo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from aiohttp import web

from bjidp.sandbox.portal.entering import Entering
from bjidp.sandbox.portal.logins import LoggedIn
from bjidp.sandbox.portal.pages import Pages, Words, facts_of, identity_of, organisation_of
from bjidp.sandbox.portal.provider import Provider
from bjidp.sandbox.portal.services import LEVELS, SERVICES, Service
from bjidp.sandbox.portal.sessions import Session, Sessions
from bjidp.sandbox.portal.settings import PortalSettings
from bjidp.sandbox.portal.visitors import Visitors

_BODY_LIMIT: Final = 16 * 1024
_ENDED: Final = Words("您已退出登录", "您在统一身份认证平台的登录已经结束，首都之窗也随之退出。")
_Values = Callable[[LoggedIn], Mapping[str, object]]


class Portal:
    """The handlers."""

    def __init__(self, sessions: Sessions, visitors: Visitors) -> None:
        """Know who is logged in by ``sessions``, and show pages by ``visitors``."""
        self._sessions = sessions
        self._visitors = visitors

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        router = app.router
        router.add_get("/", self.home)
        router.add_get("/me", self.me)
        router.add_get("/services/fund", self.fund)
        router.add_get("/services/reminders", self.reminders)
        router.add_get("/services/company", self.company)
        router.add_get("/health", self.health)

    async def home(self, request: web.Request) -> web.Response:
        """Show the first page."""
        return self._visitors.show(request, "home.html")

    async def me(self, request: web.Request) -> web.Response:
        """Show 用户中心."""
        session = self._visitors.session(request)
        if session is None:
            return self._login_first(request, "me")
        values = {"facts": facts_of(session.login), "organisation": organisation_of(session.login)}
        return self._visitors.show(request, "me.html", values)

    async def fund(self, request: web.Request) -> web.Response:
        """Show a service that needs L3."""
        return self._service(request, "fund", "fund.html", lambda login: {"person": identity_of(login)})

    async def reminders(self, request: web.Request) -> web.Response:
        """Show a service that reads on while the person is away."""
        return self._service(request, "reminders", "reminders.html", lambda _: {})

    async def company(self, request: web.Request) -> web.Response:
        """Show a service for organisations."""
        return self._service(request, "company", "company.html", lambda login: {"organisation": organisation_of(login)})

    async def health(self, _: web.Request) -> web.Response:
        """Say that it is alive."""
        return web.json_response({"status": "ok"})

    def _service(self, request: web.Request, name: str, template: str, values: _Values) -> web.Response:
        session = self._visitors.session(request)
        if session is None:
            return self._login_first(request, name)
        service = SERVICES[name]
        if service.missing(session.login.scopes, session.login.level):
            return self._needs(request, name, service, session)
        return self._visitors.show(request, template, {"name": service.name, **values(session.login)})

    def _needs(self, request: web.Request, name: str, service: Service, session: Session | None) -> web.Response:
        below = service.level is not None and (session is None or session.login.level < service.level)
        return self._visitors.show(
            request,
            "needs.html",
            {
                "name": service.name,
                "login": f"/login?for={name}",
                "level": LEVELS[service.level] if below and service.level is not None else None,
                "has": None if session is None else LEVELS.get(session.login.level, session.login.level),
            },
        )

    def _login_first(self, request: web.Request, name: str) -> web.Response:
        if self._sessions.was_told(self._visitors.name(request)):
            return self._visitors.notice(request, _ENDED, name)
        return self._needs(request, name, SERVICES[name], None)


def build_portal(settings: PortalSettings) -> web.Application:
    """Return the portal, ready to be served at ``settings.base_url``."""
    pages = Pages(issuer=settings.issuer, side_by_side_url=settings.side_by_side_url)
    sessions = Sessions(settings.clock, settings.entropy)
    visitors = Visitors(sessions, pages, settings.base_url)
    app = web.Application(client_max_size=_BODY_LIMIT, middlewares=[visitors.in_words])
    pages.mount(app)
    Portal(sessions, visitors).mount(app)
    Entering(Provider(settings), sessions, visitors).mount(app)
    return app
