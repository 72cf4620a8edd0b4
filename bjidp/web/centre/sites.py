"""授权管理: the sites that may read something of somebody, and that they may no more (LOG-8).

Owns ``/centre/sites``, and the same under ``/h5``. It asks for no 验证身份: what is withdrawn here opens nothing to
anybody, and is agreed to anew at the next login.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.oidc.agreements import Agreements
from bjidp.web.centre.own_pages import OwnPages
from bjidp.web.forms.desk import Desk
from bjidp.web.http.visitor import at, on_h5
from bjidp.web.pages.centre import AgreedSite, SitesPage
from bjidp.web.pages.form_view import Form
from bjidp.web.pages.rendering import Renderer

SITES: Final = "/centre/sites"

_DONE: Final = frozenset({"withdrawn", "none"})


class SiteForm(Form, frozen=True):
    """A site that is to read no more."""

    client: str = ""


class SitesPages:
    """Handlers of 授权管理."""

    def __init__(self, *, own: OwnPages, desk: Desk, renderer: Renderer, agreements: Agreements) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._own = own
        self._desk = desk
        self._renderer = renderer
        self._agreements = agreements

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for prefix in ("", "/h5"):
            app.router.add_get(f"{prefix}{SITES}", self.show)
            app.router.add_post(f"{prefix}{SITES}", self.withdraw)

    async def show(self, request: web.Request) -> web.Response:
        """Show every site, and what it may read."""
        asker, visit = await self._own.visited(request)
        done = request.query.get("done", "")
        page = SitesPage(
            h5=on_h5(request),
            sites=tuple(
                AgreedSite(
                    client=site.agreement.client.id,
                    name=site.agreement.client.name,
                    domain=site.agreement.client.domain,
                    scopes=site.agreement.scopes,
                    agreed_at=site.agreement.agreed_at,
                    is_in=site.is_in,
                    away=site.agreement.away,
                    ethnicity=site.agreement.client.reads_ethnicity,
                )
                for site in await self._agreements.sites(visit.account)
            ),
            csrf=asker.csrf,
            done=done if done in _DONE else None,  # type: ignore[arg-type]  # one of the two
        )
        return web.Response(body=self._renderer.render(page), content_type="text/html", charset="utf-8")

    async def withdraw(self, request: web.Request) -> web.Response:
        """Let a site read no more."""
        asker, visit, form = await self._own.posted(request, SiteForm)
        had = await self._agreements.withdraw(visit.account, form.client)
        return self._desk.lead(asker, f"{at(request, SITES)}?done={'withdrawn' if had else 'none'}")
