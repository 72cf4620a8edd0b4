"""The pages around a login: the login page, log-out, and the answer to a QR opened in a browser.

Owns ``/login``, ``/logout`` and ``/q/…``. Each navigation to the login page gives the browser a new secret.
"""

from __future__ import annotations

from typing import Final, cast
from urllib.parse import quote

from aiohttp import web
from msgspec import Struct

from bjidp.platforms import Provider
from bjidp.qrlogin.browsers import Browsers, OpenedPage
from bjidp.qrlogin.flow import Client, Purposeful
from bjidp.qrlogin.policy import Purpose
from bjidp.sessions.ports import SessionEnd
from bjidp.sessions.service import Sessions
from bjidp.throttle.ports import Throttle
from bjidp.web.forms.departure import Departures
from bjidp.web.forms.desk import OPENED, Desk
from bjidp.web.forms.form_again import FormViews, Posted
from bjidp.web.forms.login_first import LoginFirst
from bjidp.web.forms.reading import Forms
from bjidp.web.forms.signed_in import SignedIn
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import Observer, at, is_phone, on_h5
from bjidp.web.pages.ending import Message
from bjidp.web.pages.form_view import Form, FormView
from bjidp.web.pages.login import AccountLoginPage, LoginPage, SignedInPage, Tab
from bjidp.web.pages.qr import ScanHintPage
from bjidp.web.pages.rendering import Renderer
from bjidp.web.pages.shell import Page

LEGAL: Final = "/centre/acting"
"""Where 法人登录 leads whoever is logged in: to the choice of whom to act for."""

TABS: Final[frozenset[str]] = frozenset({"scan", "account", "legal"})


class LoginSettings(Struct, frozen=True):
    """What the pages show of this installation, which is known as ``url``.

    ``simulator`` is the origin of the phone simulator of a demonstration, which frames these pages and to which a QR
    opened in a browser leads; None everywhere else.
    """

    url: str
    client: Client
    home: str
    basis_url: str
    simulator: str | None
    providers: tuple[Provider, ...] = ()


class LoginPages:
    """Handlers of the pages around a login."""

    def __init__(
        self,
        *,
        settings: LoginSettings,
        renderer: Renderer,
        cookies: Cookies,
        forms: Forms,
        observer: Observer,
        browsers: Browsers,
        sessions: Sessions,
        signed_in: SignedIn,
        throttle: Throttle,
        form_views: FormViews,
        desk: Desk,
        departures: Departures,
        login_first: LoginFirst,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._login_first = login_first
        self._settings = settings
        self._renderer = renderer
        self._cookies = cookies
        self._forms = forms
        self._observer = observer
        self._browsers = browsers
        self._sessions = sessions
        self._signed_in = signed_in
        self._throttle = throttle
        self._form_views = form_views
        self._desk = desk
        self._departures = departures

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/", self.root)
        app.router.add_get("/login", self.login)
        app.router.add_post("/logout", self.logout)
        app.router.add_post("/h5/logout", self.logout)
        app.router.add_get("/q/{text:.*}", self.opened_code)

    async def root(self, _: web.Request) -> web.Response:
        """Lead to the login page, which knows whether there is anything left to do."""
        raise web.HTTPFound("/login")

    async def login(self, request: web.Request) -> web.Response:
        """Show the login page; to a browser that is logged in, who it is logged in as."""
        owner = await self._signed_in.visiting(request)
        tab = request.query.get("tab", "scan")
        if owner is not None:
            return self._page(
                SignedInPage(
                    h5=on_h5(request),
                    who=owner.standing.name,
                    client=self._settings.client.name,
                    next=at(request, LEGAL if tab == "legal" else self._settings.home),
                    csrf=owner.session.csrf,
                )
            )
        if is_phone(request):
            raise web.HTTPFound("/h5/login")
        await self._observer.source(request).hit(self._throttle, "login.opened", OPENED)
        if tab == "account":
            return await self.show_account(request)
        opened = await self._open(request)
        page = LoginPage(
            tab=cast("Tab", tab) if tab in TABS else "scan",
            client=opened.about.client.name,
            flow=opened.flow,
            basis_url=self._settings.basis_url,
            csrf=self._forms.token(opened.browser),
            away=self._login_first.away(request, opened.about.next),
            providers=self._settings.providers,
            embedder=self._settings.simulator,
        )
        response = _html(self._renderer.render_login(page))
        self._cookies.set_browser(response, opened.secret)
        return response

    async def show_account(
        self,
        request: web.Request,
        values: dict[str, str] | None = None,
        posted: Posted[Form] | None = None,
        secret: str | None = None,
    ) -> web.Response:
        """Show the login page with 账号登录 in front; again with the ``values`` of what was ``posted``.

        ``secret`` is that of a browser record which was made for this request already, None if none was.
        """
        opened = await self._open(request, secret)
        view = FormView(csrf=self._forms.token(opened.browser), values=values or {})
        page = AccountLoginPage(
            client=opened.about.client.name,
            flow=opened.flow,
            basis_url=self._settings.basis_url,
            form=await self._form_views.fill(view, opened.browser, self._observer.source(request), posted),
            away=self._login_first.away(request, opened.about.next) if posted is None else None,
            providers=self._settings.providers,
            embedder=self._settings.simulator,
        )
        because = None if posted is None else posted.because
        return self._desk.answer(request, opened.secret, page, because=because)

    async def _open(self, request: web.Request, secret: str | None = None) -> OpenedPage:
        about = Purposeful(Purpose.LOGIN, self._settings.client, self._settings.home)
        return await self._browsers.open_page(secret or self._cookies.browser_secret(request), about, resume=True)

    async def logout(self, request: web.Request) -> web.Response:
        """End the session of this browser and go back to the login page."""
        owner = await self._signed_in.of(request)
        await self._forms.read(request, owner)
        if owner is not None:
            await self._sessions.end(owner.session, SessionEnd.LOGOUT)
        return await self._departures.farewell(request, Message.SIGNED_OUT)

    async def opened_code(self, request: web.Request) -> web.Response:
        """Say what a QR code is for, the same for every text: nothing is looked up."""
        if self._settings.simulator is not None:
            text = f"{self._settings.url}{request.rel_url.raw_path}"
            raise web.HTTPFound(f"{self._settings.simulator}/phone?text={quote(text, safe='')}")
        return self._page(ScanHintPage())

    def _page(self, page: Page) -> web.Response:
        return _html(self._renderer.render(page))


def _html(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="text/html", charset="utf-8")
