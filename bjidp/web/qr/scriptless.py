"""The QR channel without JavaScript (UX-4): one animated picture, and a frame that reloads itself.

Owns ``GET /qr/image``, ``GET /qr/state`` and ``POST /qr/renew``. The same cookie, the same flows, the same freshness
rule for frames as with a script; redeeming is a button the person presses.
"""

from __future__ import annotations

import math
from typing import assert_never, cast

from aiohttp import web
from msgspec.structs import replace

from bjidp.clock import SECOND, Instant
from bjidp.errors import RateLimited
from bjidp.qrlogin import machine
from bjidp.qrlogin.errors import AlreadySignedIn, BrowserUnknown, FlowUnknown
from bjidp.qrlogin.flow import Flow
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.pages import Entry, QrPages
from bjidp.qrlogin.policy import Purpose, QrPolicy
from bjidp.qrlogin.ticket import Approved, Holder, Pending, Redeemed, Rejected, Scanned, Superseded, Verifying
from bjidp.site import Site
from bjidp.web.forms.reading import Forms
from bjidp.web.forms.signed_in import SignedIn
from bjidp.web.http.guards import ANCESTORS
from bjidp.web.http.origin import require_same_site_read
from bjidp.web.pages.qr import Platform, QrState, QrStatePage
from bjidp.web.pages.rendering import Renderer
from bjidp.web.qr.drawing import Drawings
from bjidp.web.qr.entering import Entrance


class ScriptlessQr:
    """Handlers for pages without JavaScript."""

    def __init__(
        self,
        *,
        site: Site,
        entrance: Entrance,
        forms: Forms,
        pages: QrPages,
        keys: QrKeys,
        policy: QrPolicy,
        drawings: Drawings,
        renderer: Renderer,
        signed_in: SignedIn,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._site = site
        self._entrance = entrance
        self._forms = forms
        self._pages = pages
        self._keys = keys
        self._policy = policy
        self._drawings = drawings
        self._renderer = renderer
        self._signed_in = signed_in

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/qr/image", self.image, allow_head=False)
        app.router.add_get("/qr/state", self.state, allow_head=False)
        app.router.add_post("/qr/renew", self.renew)

    async def image(self, request: web.Request) -> web.Response:
        """Draw all frames of the ticket from now to its scan deadline into one picture; then 已过期, or 已扫码."""
        require_same_site_read(self._site, request)
        entry = await self._entrance.enter(request, request.query.get("flow"))
        picture = await self._drawings.picture(await self._pages.frames(entry), entry)
        return web.Response(body=picture, content_type="image/gif")

    async def state(self, request: web.Request) -> web.Response:
        """Show the state of the flow inside the login page."""
        require_same_site_read(self._site, request)
        request[ANCESTORS] = "'self'"
        flow_id = request.query.get("flow", "")
        try:
            entry = await self._entrance.enter(request, flow_id)
            flow, now = await self._pages.current(entry, renew=False, slow=True)
        except (BrowserUnknown, FlowUnknown, AlreadySignedIn, RateLimited):
            # Of a flow that is not known the page itself has to say what it was for.
            return self._page(QrStatePage(state=QrState.ENDED, flow="", csrf="", verify=_asks_to_verify(request)))
        verify = entry.ref.about.purpose is not Purpose.LOGIN
        page = QrStatePage(state=QrState.ENDED, flow="", csrf=self._forms.token(entry.browser.id), verify=verify)
        return self._page(self._shown(page, entry, flow, now))

    async def renew(self, request: web.Request) -> web.Response:
        """Show a new code and lead back to the page that shows it."""
        fields = await self._forms.read(request, await self._signed_in.of(request))
        entry = await self._entrance.enter(request, fields.get("flow"))
        await self._pages.renew(entry)
        raise web.HTTPSeeOther(entry.ref.about.page)

    def _shown(self, page: QrStatePage, entry: Entry, flow: Flow, now: Instant) -> QrStatePage:
        ticket = flow.current
        page = replace(page, flow=flow.id)
        if machine.has_expired(ticket, now):
            return replace(page, state=QrState.EXPIRED)
        state = ticket.state
        match state:
            case Pending():
                return replace(page, state=QrState.WAITING)
            case Scanned() | Verifying():
                left = math.ceil((state.deadline - now) / SECOND)
                return _named(replace(page, state=QrState.SCANNED, seconds_left=left), state.holder)
            case Approved():
                grant = self._keys.grant(ticket, state, entry.browser.id)
                page = _named(replace(page, state=QrState.APPROVED, grant=grant), state.holder)
                if state.code is None:
                    return page
                wrong = state.tries_left < self._policy.code_tries
                return replace(page, state=QrState.CODE, tries_left=state.tries_left, code_was_wrong=wrong)
            case Rejected(reason="person"):
                return replace(page, state=QrState.REJECTED)
            case Rejected(reason="code"):
                return replace(page, state=QrState.WRONG_CODE)
            case Rejected():
                return replace(page, state=QrState.EXPIRED)
            case Redeemed() | Superseded():
                return page
            case _:
                assert_never(state)

    def _page(self, page: QrStatePage) -> web.Response:
        return web.Response(body=self._renderer.render(page), content_type="text/html", charset="utf-8")


def _asks_to_verify(request: web.Request) -> bool:
    return request.query.get("for") == Purpose.VERIFY


def _named(page: QrStatePage, holder: Holder) -> QrStatePage:
    return replace(page, who=holder.name, platform=cast("Platform", holder.platform))
