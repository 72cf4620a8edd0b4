"""Whether a request comes from a page of ours.

Owns the checks of ``Origin`` and ``Sec-Fetch-Site`` (attacks W1 to W4, Q28). No answer of this server carries a CORS
header.
"""

from __future__ import annotations

from aiohttp import web

from bjidp.qrlogin.errors import OriginRefused
from bjidp.site import Site


def require_origin(site: Site, request: web.Request) -> None:
    """Raise :class:`OriginRefused` unless ``Origin`` is there, once, and is exactly this site's."""
    origins = request.headers.getall("Origin", [])
    if len(origins) != 1 or not site.is_own_origin(origins[0]):
        raise OriginRefused


def require_same_site_read(site: Site, request: web.Request) -> None:
    """Raise :class:`OriginRefused` for a read that another site's page makes.

    A GET of one's own page has no ``Origin``: it is refused when one is there and differs, or when
    ``Sec-Fetch-Site`` is there and is not ``same-origin``.
    """
    if "Origin" in request.headers:
        require_origin(site, request)
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise OriginRefused
