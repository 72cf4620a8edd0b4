"""What holds for every request and every answer.

Owns the check of ``Host`` against the base URL and the headers that keep pages from being framed, sniffed, leaked or
cached.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from bjidp.errors import BjidpError, Retryable
from bjidp.site import Site

SAFE: Final = frozenset({"GET", "HEAD"})

PROBES: Final = frozenset({"/health", "/ready"})
"""What a load balancer asks each server for under the server's own address, not the site's."""

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)

ANCESTORS: Final = web.RequestKey("ancestors", str)
"""Set by a handler whose page may be framed: the ``frame-ancestors`` source list."""


class Misdirected(BjidpError):
    """The request names another host than the one this server is (RFC 9110, section 15.5.20)."""

    code = "misdirected"


class NotFound(BjidpError):
    """There is nothing at this address."""

    code = "not_found"


class MethodNotAllowed(BjidpError):
    """The address is right, the method is not."""

    code = "method_not_allowed"


class TooLarge(BjidpError):
    """The body is larger than anything this server takes."""

    code = "too_large"


class RequestTimeout(BjidpError):
    """The body did not come in time (attack W9)."""

    code = "request_timeout"


class TooBusy(Retryable):
    """More is waiting already than can be done within a reasonable time; nothing was begun."""

    code = "too_busy"


class InternalError(BjidpError):
    """Something failed that should not have; nothing is said of it but in the log."""

    code = "internal_error"


class Guards:
    """Middleware and response hook of one site."""

    def __init__(self, site: Site) -> None:
        """Guard ``site``."""
        self._site = site

    @web.middleware
    async def host(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a GET of a page under another host with 308 to the right one, and anything else with 421.

        An upgrade is never redirected (ASVS 4.1.2), nor is a call that carries a body or a token. Probes are
        answered under any host.
        """
        if request.headers.get("Host") == self._site.authority or request.path in PROBES:
            return await handler(request)
        page = request.method in SAFE and "Authorization" not in request.headers and "Upgrade" not in request.headers
        if page and not request.path.startswith("/mp/"):
            raise web.HTTPPermanentRedirect(self._site.url + request.rel_url.raw_path_qs)
        raise Misdirected

    async def headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Set the headers every answer carries."""
        headers = response.headers
        headers["X-Content-Type-Options"] = "nosniff"
        # Not `no-referrer`: under it a browser sends `Origin: null` with a form (Fetch, "append a request Origin
        # header"), which no redeem accepts. Other sites are told nothing either way.
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers.setdefault("Cache-Control", "no-store")
        if response.content_type == "text/html":
            headers["Content-Security-Policy"] = CSP.format(ancestors=request.get(ANCESTORS, "'none'"))
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
            headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        if self._site.secure:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if "Server" in headers:
            del headers["Server"]
