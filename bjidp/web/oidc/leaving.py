"""Where relying parties send their users to be logged out (OpenID Connect RP-Initiated Logout 1.0).

Owns ``/oauth/logout`` and ``/oauth/leave``, and the latter under ``/h5``. A wish is taken at the first and granted at
the second, which a browser opens from here: what another site posts comes without the cookie of the session it is
about. Whoever is logged in is asked, unless a token of ours has named that very session. The session ends as by 退出,
so every other site is told.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.clock import Clock
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.oidc import discovery
from bjidp.oidc.errors import ProtocolError
from bjidp.oidc.logouts.asking import LIFETIME, LogoutWish, LogoutWishes
from bjidp.oidc.parameters import Parameters
from bjidp.sessions.ports import SessionEnd
from bjidp.sessions.service import Sessions
from bjidp.throttle.ports import Throttle, Window
from bjidp.web.forms.departure import Departures
from bjidp.web.forms.desk import OPENED, Desk
from bjidp.web.forms.login_first import HOME
from bjidp.web.forms.signed_in import Owner, SignedIn
from bjidp.web.http.visitor import Observer, at, is_phone, on_h5
from bjidp.web.oidc.answers import posted
from bjidp.web.oidc.returning import Returning
from bjidp.web.pages.ending import Message, MessagePage
from bjidp.web.pages.form_view import Form, FormView
from bjidp.web.pages.oidc import LogoutPage
from bjidp.web.pages.rendering import Renderer

LEAVE: Final = "/oauth/leave"


TAKEN: Final = (OPENED, Window(3600, LIFETIME))
"""Wishes of one address, whoever sends them, and how many of it are kept at a time."""


class LogoutForm(Form, frozen=True):
    """What somebody says to being logged out."""

    request: str = ""


class LogoutPages:
    """Handlers of the log-out endpoint."""

    def __init__(
        self,
        *,
        wishes: LogoutWishes,
        sessions: Sessions,
        signed_in: SignedIn,
        desk: Desk,
        departures: Departures,
        renderer: Renderer,
        returning: Returning,
        observer: Observer,
        throttle: Throttle,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._wishes = wishes
        self._sessions = sessions
        self._signed_in = signed_in
        self._desk = desk
        self._departures = departures
        self._renderer = renderer
        self._returning = returning
        self._observer = observer
        self._throttle = throttle
        self._clock = clock

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get(discovery.LOGOUT, self.take, allow_head=False)
        app.router.add_post(discovery.LOGOUT, self.take)
        for prefix in ("", "/h5"):
            app.router.add_get(f"{prefix}{LEAVE}", self.show, allow_head=False)
            app.router.add_post(f"{prefix}{LEAVE}", self.say)

    async def take(self, request: web.Request) -> web.Response:
        """Take a wish, from the address or from a form (section 2)."""
        await self._observer.source(request).hit(self._throttle, "oauth.logout", *TAKEN)
        try:
            parameters = Parameters(request.query.items()) if request.method == "GET" else await posted(request)
        except ProtocolError:
            raise InvalidRequest(FieldFault("", "unknown")) from None
        name = await self._wishes.take(parameters, self._clock.now())
        prefix = "/h5" if is_phone(request) else ""
        raise web.HTTPSeeOther(f"{prefix}{LEAVE}?request={name}")

    async def show(self, request: web.Request) -> web.Response:
        """Grant the wish, or ask whether it is one."""
        name = request.query.get("request", "")
        wish = await self._wishes.find(name)
        owner = await self._signed_in.visiting(request)
        if owner is None or wish.is_about(owner.session.id):
            return await self._granted(request, name, wish, owner)
        asker = self._desk.asker(request, owner)
        page = LogoutPage(
            h5=on_h5(request),
            form=FormView(csrf=asker.csrf),
            client=wish.name,
            who=owner.standing.name,
            request=name,
        )
        return self._desk.answer(request, asker, page)

    async def say(self, request: web.Request) -> web.Response:
        """Take what somebody says to it."""
        await self._desk.received(request)
        asker, form = await self._desk.read(request, LogoutForm)
        wish = await self._wishes.find(form.request)
        match form.act:
            case "leave":
                return await self._granted(request, form.request, wish, asker.owner)
            case "stay":
                await self._wishes.forget(form.request)
                return self._desk.lead(asker, at(request, HOME))
            case _:
                raise InvalidRequest(FieldFault("act", "unknown"))

    async def _granted(self, request: web.Request, name: str, wish: LogoutWish, owner: Owner | None) -> web.Response:
        response = self._way(request, wish)
        if owner is not None:
            # Who is not logged in has nothing to leave: a page of another site may lead anybody here.
            await self._sessions.end(owner.session, SessionEnd.LOGOUT)
            response = await self._departures.depart(request, response)
        await self._wishes.forget(name)
        return response

    def _way(self, request: web.Request, wish: LogoutWish) -> web.Response:
        """Return the way back to the site, or a page that says what has happened."""
        if wish.where is not None:
            return self._returning.to(request, wish.name, wish.where)
        page = MessagePage(h5=on_h5(request), message=Message.SIGNED_OUT)
        return web.Response(body=self._renderer.render(page), content_type="text/html", charset="utf-8")
