"""绑定的第三方账号: what the account is logged in to by elsewhere, seen and unlinked (LOG-4).

Owns ``/centre/third`` and the same under ``/h5``.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.accounts.external.linked import LinkedProviders
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.platforms import Provider
from bjidp.web.centre.own_pages import OwnPages
from bjidp.web.forms.desk import Desk
from bjidp.web.http.visitor import at, on_h5
from bjidp.web.pages.external import LinkedPage
from bjidp.web.pages.form_view import Form
from bjidp.web.pages.rendering import Renderer

THIRD: Final = "/centre/third"

_PROVIDERS: Final = {provider.value: provider for provider in Provider}


class UnlinkForm(Form, frozen=True):
    """Which provider's user is to log in no more."""

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
            app.router.add_post(f"{prefix}{THIRD}", self.unlink)

    async def page(self, request: web.Request) -> web.Response:
        """Show what is linked."""
        asker, visit = await self._own.visited(request)
        page = LinkedPage(
            h5=on_h5(request),
            lines=await self._linked.lines(visit),
            csrf=asker.csrf,
            unlinked=_PROVIDERS.get(request.query.get("unlinked", "")),
        )
        return web.Response(body=self._renderer.render(page), content_type="text/html", charset="utf-8")

    async def unlink(self, request: web.Request) -> web.Response:
        """Unlink one."""
        asker, visit, form = await self._own.posted(request, UnlinkForm)
        provider = _PROVIDERS.get(form.provider)
        if provider is None:
            raise InvalidRequest(FieldFault("provider", "unknown"))
        unlinked = await self._linked.unlink(visit, provider)
        return self._desk.lead(asker, f"{at(request, THIRD)}{f'?unlinked={provider}' if unlinked else ''}")
