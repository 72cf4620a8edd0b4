"""The phone simulator: 京通 on a chosen platform, in the hand of a chosen synthetic person.

Owns the pages a person looks at in the demo (``/`` with the login page and the phone side by side, ``/phone``,
``/inbox``, ``/people``), their static files, the relay that carries the phone's calls to the identity server, and the
decoder behind the camera. :func:`mount` is called once by the sandbox's application; nothing here reaches into the
identity server other than over its public wire.
"""

from __future__ import annotations

import ssl

from aiohttp import web
from yarl import URL

from bjidp.sandbox.phone import decode, pages, relay

__all__ = ["mount"]


def mount(
    app: web.Application,
    *,
    server_url: str,
    server_host: str | None,
    server_tls: ssl.SSLContext | None = None,
    portal_url: str | None = None,
) -> None:
    """Add the phone simulator's routes to ``app``.

    ``server_url`` is where the identity server listens (scheme, host, port). ``server_host`` is the host and port of
    its base URL where they differ from that address, as with one of several processes: calls carry it as ``Host``, and
    the demo page frames the login page under it. ``server_tls`` is what trusts a certificate made on the spot.
    ``portal_url`` is a site that logs its people in there, for the demo page to lead to.
    Raises :class:`ValueError` when ``server_url`` is not an absolute http or https address.
    """
    server = URL(server_url)
    if server.scheme not in {"http", "https"} or not server.host:
        raise ValueError("server_url must be an absolute http or https address")
    pages.mount(app, login_origin=_public_origin(server, server_host), portal_url=portal_url)
    relay.mount(app, server=server.origin(), host=server_host, tls=server_tls)
    decode.mount(app)


def _public_origin(server: URL, host: str | None) -> str:
    """Return the origin browsers know the server by: its base URL's host, not the address it listens on."""
    return f"{server.scheme}://{host}" if host else str(server.origin())
