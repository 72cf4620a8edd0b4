"""The way to a provider and back for whoever is logged in and binds what they have there (LOG-4).

Owns ``/centre/link/leave`` and the same under ``/h5``, which follow 验证身份, and what a browser is shown that comes
back on such a way; the address it comes back to is that of logins, :mod:`bjidp.web.login.external`. Leaving is a link,
no form: browsers hold where a form leads to the page's ``form-action``, which is this site alone. It opens a way for
whoever has the name of a change that they have proved, and for nobody else.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web

from bjidp.accounts.errors import ExternalLoginOver, ExternalLoginRefused, ExternalTaken
from bjidp.accounts.external.binding import Bindings
from bjidp.accounts.external.flow import Binding
from bjidp.accounts.external.linked import LinkedProviders
from bjidp.accounts.settings.changes import Changes, NotDue
from bjidp.errors import BjidpError, VendorUnavailable
from bjidp.verification.errors import VerificationRequired
from bjidp.verification.proofs import Operation
from bjidp.web.centre.own_pages import OwnPages
from bjidp.web.forms.desk import Asker, Desk
from bjidp.web.forms.external_ways import CameBack, ExternalWays, is_inside
from bjidp.web.forms.login_first import HOME
from bjidp.web.forms.visiting import visit_of
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import at, is_phone
from bjidp.web.pages.external import BindingTrouble, BindingTroublePage
from bjidp.web.pages.rendering import Renderer

PAGE: Final = f"{HOME}/{Operation.LINK}"
LEAVE: Final = f"{PAGE}/leave"

_TROUBLES: Final[dict[type[BjidpError], tuple[BindingTrouble, HTTPStatus]]] = {
    ExternalLoginRefused: (BindingTrouble.REFUSED, HTTPStatus.FORBIDDEN),
    ExternalLoginOver: (BindingTrouble.OVER, HTTPStatus.GONE),
    ExternalTaken: (BindingTrouble.TAKEN, HTTPStatus.CONFLICT),
    VerificationRequired: (BindingTrouble.ENDED, HTTPStatus.GONE),
    VendorUnavailable: (BindingTrouble.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE),
}


class BindingPages:
    """Handlers of the way there, and of the way back."""

    def __init__(
        self,
        *,
        own: OwnPages,
        desk: Desk,
        cookies: Cookies,
        renderer: Renderer,
        ways: ExternalWays,
        changes: Changes,
        linked: LinkedProviders,
        bindings: Bindings,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._own = own
        self._desk = desk
        self._cookies = cookies
        self._renderer = renderer
        self._ways = ways
        self._changes = changes
        self._linked = linked
        self._bindings = bindings

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for prefix in ("", "/h5"):
            app.router.add_get(f"{prefix}{LEAVE}", self.leave, allow_head=False)

    async def leave(self, request: web.Request) -> web.Response:
        """Send whoever has proved who they are to the provider that they chose."""
        asker, visit = await self._own.visited(request)
        flow = request.query.get("flow", "")
        page = at(request, PAGE)
        progress = await self._changes.look(visit, Operation.LINK, flow)
        provider = await self._linked.chosen(visit, None if progress.draft is None else progress.draft.facts)
        if provider is None:
            return self._desk.lead(asker, _of(page, flow if progress.draft else None))
        secret = self._ways.secret_to_leave_with(request)
        try:
            opened = await self._bindings.leave(visit, secret, flow, inside=is_inside(asker, provider))
        except NotDue as elsewhere:
            return self._desk.lead(asker, _of(page, elsewhere.flow))
        return self._ways.send(asker, opened.page, secret)

    async def back(self, request: web.Request, asker: Asker, came: CameBack, binding: Binding) -> web.Response:
        """Bind whoever comes back, or say why not: a :data:`bjidp.web.forms.external_ways.ToOwner`."""
        prefix = "/h5" if is_phone(request) else ""
        try:
            if asker.owner is None:
                raise VerificationRequired
            visit = visit_of(request, self._cookies, asker, asker.owner)
            await self._bindings.come(visit, came.secret, binding, came.provider, came.state, came.code)
        except NotDue as elsewhere:
            return self._desk.lead(asker, _of(f"{prefix}{PAGE}", elsewhere.flow))
        except BjidpError as error:
            found = next((told for kind, told in _TROUBLES.items() if isinstance(error, kind)), None)
            if found is None:
                raise
            trouble, status = found
            page = BindingTroublePage(
                h5=bool(prefix),
                trouble=trouble,
                provider=came.provider,
                # It is of the session that it was begun in.
                flow=None if trouble is BindingTrouble.ENDED else binding.change,
                retry_after=error.retry_after if isinstance(error, VendorUnavailable) else None,
            )
            return self._told(page, status)
        return self._desk.lead(asker, _of(f"{prefix}{PAGE}", binding.change))

    def _told(self, page: BindingTroublePage, status: HTTPStatus) -> web.Response:
        after = {} if page.retry_after is None else {"Retry-After": str(page.retry_after)}
        headers = {"Cache-Control": "no-store"} | after
        body = self._renderer.render(page)
        return web.Response(body=body, status=status, content_type="text/html", charset="utf-8", headers=headers)


def _of(page: str, flow: str | None) -> str:
    return page if flow is None else f"{page}?flow={flow}"
