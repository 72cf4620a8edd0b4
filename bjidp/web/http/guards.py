"""What holds for every request and every answer.

Owns the check of ``Host`` against the base URL and the headers that keep pages from being framed, sniffed, leaked or
cached. Called by ``problems``: its middleware, and its answer to what never becomes a request.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from multidict import CIMultiDict

from bjidp.site import Site
from bjidp.web.http.errors import Misdirected

SAFE: Final = frozenset({"GET", "HEAD"})

PROBES: Final = frozenset({"/health", "/ready"})
"""What a load balancer asks each server for under the server's own address, not the site's."""

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src 'self'; "
    "form-action 'self'; frame-src {frames}; base-uri 'none'; frame-ancestors {ancestors}"
)

ANCESTORS: Final = web.RequestKey("ancestors", str)
"""Set by a handler whose page another page of ours frames: the ``frame-ancestors`` source list."""


class Guards:
    """Checks requests to one site, and dresses its answers."""

    def __init__(self, site: Site, embedder: str | None = None) -> None:
        """Guard ``site``.

        ``embedder`` is the one other origin that may frame its pages: any of them, since a person in the frame gets
        from each to the next. Its own page inside of ours hands a code on to phones in other windows.
        """
        self._site = site
        self._embedder = embedder
        self._authority = site.authority
        self._frames = " ".join(filter(None, ("'self'", embedder)))
        self._always = CIMultiDict(
            {
                "X-Content-Type-Options": "nosniff",
                # Not `no-referrer`: under it a browser sends `Origin: null` with a form (Fetch, "append a request
                # Origin header"), which no redeem accepts. Other sites are told nothing either way.
                "Referrer-Policy": "same-origin",
                "Cross-Origin-Resource-Policy": "same-origin",
                # aiohttp would name itself and its version.
                "Server": "bjidp",
            }
        )
        if site.secure:
            self._always["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    def require_host(self, request: web.Request) -> None:
        """Answer a GET of a page under another host with 308 to the right one, and anything else with 421.

        An upgrade is never redirected (ASVS 4.1.2), nor is a call that carries a body or a token. Probes are
        answered under any host.
        """
        if request.headers.get("Host") == self._authority or request.path in PROBES:
            return
        page = request.method in SAFE and "Authorization" not in request.headers and "Upgrade" not in request.headers
        if page and not request.path.startswith("/mp/"):
            raise web.HTTPPermanentRedirect(self._site.url + request.rel_url.raw_path_qs)
        raise Misdirected

    def dress(self, request: web.Request, response: web.StreamResponse) -> None:
        """Set the headers every answer carries."""
        headers = response.headers
        headers.update(self._always)
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        if headers.get("Content-Type", "").startswith("text/html"):
            ancestors = " ".join(filter(None, (request.get(ANCESTORS), self._embedder))) or "'none'"
            headers["Content-Security-Policy"] = CSP.format(ancestors=ancestors, frames=self._frames)
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
            headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
