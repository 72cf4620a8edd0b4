"""The cookies: browser secret, session, what a browser is known by, and what brings it back from a provider.

Owns their names, flags, reading and writing. Nothing else may set a cookie. They are read and written as text: a few
names and values of base64url need none of what the standard library's cookies can do, at 12 µs a cookie.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.sessions.known import LIFETIME_SECONDS
from bjidp.site import Site

BROWSER: Final = "bjidp_browser"
SESSION: Final = "bjidp_session"
KNOWN: Final = "bjidp_known"
EXTERNAL: Final = "bjidp_external"


_BLANK: Final = " \t"


class Cookies:
    """Reads and writes our cookies as the site's base URL demands."""

    def __init__(self, site: Site) -> None:
        """Follow ``site``."""
        self._attributes = "; HttpOnly; Path=/; SameSite=Lax" + ("; Secure" if site.secure else "")
        self.browser = site.cookie(BROWSER)
        self.session = site.cookie(SESSION)
        self.known = site.cookie(KNOWN)
        self.external = site.cookie(EXTERNAL)

    def browser_secret(self, request: web.Request) -> str | None:
        """Return the browser secret the request carries, or None."""
        return _read(request, self.browser)

    def session_cookie(self, request: web.Request) -> str | None:
        """Return the session cookie the request carries, or None."""
        return _read(request, self.session)

    def known_cookie(self, request: web.Request) -> str | None:
        """Return what the browser is known by, or None: for :class:`bjidp.sessions.known.KnownBrowsers` to read."""
        return _read(request, self.known)

    def external_secret(self, request: web.Request) -> str | None:
        """Return the secret by which ways to providers come back to the browser that they began in, or None."""
        return _read(request, self.external)

    def set_external(self, response: web.StreamResponse, secret: str) -> None:
        """Give the browser that secret, until it is closed."""
        self._set(response, self.external, secret)

    def set_browser(self, response: web.StreamResponse, secret: str) -> None:
        """Give the browser its secret, until it is closed."""
        self._set(response, self.browser, secret)

    def set_session(self, response: web.StreamResponse, cookie: str) -> None:
        """Give the browser its session, until it is closed (wire.md, section 2: no ``Max-Age``)."""
        self._set(response, self.session, cookie)

    def set_known(self, response: web.StreamResponse, value: str) -> None:
        """Let the browser be known the next time, for months: it opens nothing, and outlives log-outs on purpose."""
        response.headers.add("Set-Cookie", f"{self.known}={value}; Max-Age={LIFETIME_SECONDS}{self._attributes}")

    def drop_browser(self, response: web.StreamResponse) -> None:
        """Take the browser secret back."""
        self._drop(response, self.browser)

    def drop_session(self, response: web.StreamResponse) -> None:
        """Take the session back."""
        self._drop(response, self.session)

    def _set(self, response: web.StreamResponse, name: str, value: str) -> None:
        response.headers.add("Set-Cookie", f"{name}={value}{self._attributes}")

    def _drop(self, response: web.StreamResponse, name: str) -> None:
        response.headers.add("Set-Cookie", f'{name}=""; Max-Age=0{self._attributes}')


def _read(request: web.Request, name: str) -> str | None:
    """Return the value of the last cookie of this name; every value of ours is base64url and needs no unquoting.

    Only what RFC 6265, section 4.2.1, puts between cookies is taken off a name. ``strip()`` would take Unicode's blanks
    too: to a browser a name that begins with one does not begin with ``__Host-``, so a sibling host may set it, and
    it would count here (attacks T2, W3).
    """
    found: str | None = None
    for header in request.headers.getall("Cookie", ()):
        for pair in header.split(";"):
            key, _, value = pair.partition("=")
            if key.strip(_BLANK) == name:
                found = value.strip(_BLANK)
    return found
