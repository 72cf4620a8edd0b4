"""The way back to a relying party, from a page of ours.

Owns how a browser is led there: to the letter of the address that was registered, and past the rule that browsers hold
redirects after a posted form to the page's ``form-action``, which is this site alone. Called by the pages of this room.
"""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from bjidp.site import Site
from bjidp.web.http.visitor import on_h5
from bjidp.web.pages.oidc import LeavingPage
from bjidp.web.pages.rendering import Renderer


def redirect(where: str) -> web.Response:
    """Return the redirect; aiohttp's own would write the address in another way that means the same."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": where})


class Returning:
    """Leads people back."""

    def __init__(self, site: Site, renderer: Renderer) -> None:
        """Tell pages of ``site`` from others."""
        self._site = site
        self._renderer = renderer

    def to(self, request: web.Request, client: str, where: str) -> web.Response:
        """Return a redirect, or a page that leads on where a form of ours may have been posted before."""
        if not request.headers.get("Referer", "").startswith(f"{self._site.url}/"):
            return redirect(where)
        page = LeavingPage(h5=on_h5(request), client=client, where=where)
        return web.Response(body=self._renderer.render(page), content_type="text/html", charset="utf-8")
