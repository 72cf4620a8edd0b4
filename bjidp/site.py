"""Where the server lives: scheme, host and port, from the base URL alone.

Owns the base URL and what follows from it: the QR prefix, the only Origin accepted, cookie names and flags. A leaf,
since the configuration is held to its rules and every handler asks it; built once by ``bootstrap``.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


class BaseUrlFault(ValueError):
    """The base URL cannot be used; the message says why, in words for whoever configured it."""


class Site(Struct, frozen=True):
    """The server's public address. ``url`` has no trailing slash."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def secure(self) -> bool:
        """Tell whether browsers reach the server over https."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Return what the ``Host`` header of every request must be (RFC 9110, section 7.2)."""
        return self.url.partition("://")[2]

    @property
    def qr_prefix(self) -> str:
        """Return what every QR text begins with."""
        return f"{self.url}/q/"

    def is_own_origin(self, origin: str | None) -> bool:
        """Tell whether an ``Origin`` header names this very site.

        Scheme, host and port have to be equal, character by character: browsers serialise an origin in one way
        only (HTML, "ASCII serialisation of an origin"), so anything that merely looks like ours is not (attacks
        W1 to W4). Absent and ``null`` are not ours.
        """
        return origin == self.url

    def cookie(self, name: str) -> str:
        """Return the full name of one of our cookies.

        Over https the ``__Host-`` prefix keeps a sibling host from planting one (attack T2). Over http, loopback
        only, the port tells servers on one host apart, which cookies do not.
        """
        return f"__Host-{name}" if self.secure else f"{name}_{self.port}"


def read_base_url(text: str) -> Site:
    """Read a base URL: ``http`` or ``https``, a host, perhaps a port, and nothing else.

    Raises :class:`BaseUrlFault`.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as fault:
        raise BaseUrlFault("the base URL's port is no number up to 65535, or its address is not closed by ]") from fault
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BaseUrlFault("the base URL must begin with http:// or https:// and name a host")
    if port == 0:
        raise BaseUrlFault("the base URL's port must be more than 0")
    if parts.path.rstrip("/") or parts.query or parts.fragment or parts.username or parts.password:
        raise BaseUrlFault("the base URL must have no path, query or user name")
    default = 443 if parts.scheme == "https" else 80
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    # urlsplit drops line ends and keeps spaces; browsers write a host in other letters as punycode.
    if not _HOST.fullmatch(host) or not text.isprintable():
        raise BaseUrlFault("the base URL's host must be letters, digits, dots and hyphens; others as punycode (xn--)")
    authority = host if port in (None, default) else f"{host}:{port}"
    return Site(f"{parts.scheme}://{authority}", parts.scheme, host, port or default)
