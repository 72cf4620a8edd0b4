"""绑定的第三方账号: what the account is logged in to by elsewhere, and what of it is to be bound or unbound (LOG-4).

Owns ``/centre/third`` and the same under ``/h5``. What is chosen here is a setting, and goes on with 验证身份.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.accounts.external.linked import LinkedProviders
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.platforms import Provider
from bjidp.verification.proofs import Operation
from bjidp.web.centre.own_pages import OwnPages
from bjidp.web.forms.desk import Desk
from bjidp.web.forms.login_first import HOME
from bjidp.web.http.visitor import at, on_h5
from bjidp.web.pages.external import LinkedPage
from bjidp.web.pages.form_view import Form
from bjidp.web.pages.rendering import Renderer

THIRD: Final = "/centre/third"

OVER: Final = "over"
"""What the page says when what was chosen is forgotten."""

_ACTS: Final = {operation.value: operation for operation in (Operation.LINK, Operation.UNLINK)}
_PROVIDERS: Final = {provider.value: provider for provider in Provider}


class ProviderForm(Form, frozen=True):
    """Whose user is to be bound, or unbound: what was pressed says which."""

    provider: str = ""


class LinkedProviderPages:
    """Handlers of the page."""

    def __init__(self, *, own: OwnPages, desk: Desk, renderer: Renderer, linked: LinkedProviders) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._own = own
        self._desk = desk
        self._renderer = renderer
        self._linked = linked

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for prefix in ("", "/h5"):
            app.router.add_get(f"{prefix}{THIRD}", self.page)
            app.router.add_post(f"{prefix}{THIRD}", self.choose)

    async def page(self, request: web.Request) -> web.Response:
        """Show what is linked."""
        asker, visit = await self._own.visited(request)
        page = LinkedPage(
            h5=on_h5(request),
            lines=await self._linked.lines(visit),
            csrf=asker.csrf,
            over=request.query.get("said") == OVER,
        )
        return web.Response(body=self._renderer.render(page), content_type="text/html", charset="utf-8")

    async def choose(self, request: web.Request) -> web.Response:
        """Begin to bind or to unbind one; where there is nothing to by now, the page says so."""
        asker, visit, form = await self._own.posted(request, ProviderForm)
        operation, provider = _ACTS.get(form.act), _PROVIDERS.get(form.provider)
        if operation is None or provider is None:
            raise InvalidRequest(FieldFault("provider" if provider is None else "act", "unknown"))
        flow = await self._linked.choose(visit, operation, provider)
        where = THIRD if flow is None else f"{HOME}/{operation}?flow={flow}"
        return self._desk.lead(asker, at(request, where))
