"""Posted forms: who may post one, and what is in it.

Owns the check that a form was sent by a page of ours in this very browser: an exact ``Origin`` and a token that only
a page rendered for this browser holds. Pages before a login hold one derived from the browser record, which stays the
same when a page in another tab gives the browser a new secret; pages after it hold the session's own.
"""

from __future__ import annotations

import hmac
from typing import Final

from aiohttp import web

from bjidp.entropy import base64url
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.mac import MacKey
from bjidp.qrlogin.browsers import Browsers
from bjidp.qrlogin.errors import BrowserUnknown, OriginRefused
from bjidp.secret import Secret
from bjidp.site import Site
from bjidp.web.forms.signed_in import Owner
from bjidp.web.http.bodies import posted_form
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.origin import require_origin

FORM_TOKEN: Final = "csrf"  # noqa: S105 - the name of a field
"""The field that holds the token."""


class Forms:
    """Reads forms of one site."""

    def __init__(self, site: Site, cookies: Cookies, browsers: Browsers, key: Secret) -> None:
        """Derive the tokens of pages before a login with ``key``."""
        self._site = site
        self._cookies = cookies
        self._browsers = browsers
        self._key = MacKey(key.reveal())

    def token(self, browser: str) -> str:
        """Return the token for forms on a page before a login; ``browser`` is the record's id."""
        return base64url(self._key.mac(b"bjidp.csrf|" + browser.encode()))

    async def browser(self, request: web.Request) -> str | None:
        """Return the id of the live browser record behind the request's cookie, or None."""
        try:
            return (await self._browsers.find(self._cookies.browser_secret(request))).value.id
        except BrowserUnknown:
            return None

    async def read(self, request: web.Request, owner: Owner | None) -> dict[str, str]:
        """Return the form's fields, each given once.

        Raises :class:`OriginRefused` for a form of another site's page or without a token of this browser,
        :class:`InvalidRequest` for a body that is no plain form, and ``RequestTimeout`` for one that does not come.
        """
        fields = await self.posted(request)
        self.require_token(fields, owner, await self.browser(request))
        return fields

    def require_own(self, request: web.Request) -> None:
        """Raise :class:`OriginRefused` for a form of another site's page."""
        require_origin(self._site, request)

    async def posted(self, request: web.Request) -> dict[str, str]:
        """Do as :meth:`read` does, and leave the token to be judged by :meth:`require_token`."""
        self.require_own(request)
        if request.content_type != "application/x-www-form-urlencoded" or not _is_utf8(request.charset):
            raise InvalidRequest(FieldFault("", "content_type"))
        try:
            posted = await posted_form(request)
        except (ValueError, LookupError):
            raise InvalidRequest(FieldFault("", "form")) from None
        fields: dict[str, str] = {}
        for name, value in posted.items():
            if name in fields or not isinstance(value, str):
                raise InvalidRequest(FieldFault(name[:64], "repeated"))
            fields[name] = value
        return fields

    def require_token(self, fields: dict[str, str], owner: Owner | None, browser: str | None) -> None:
        """Take the token out of ``fields``; raise :class:`OriginRefused` when it is neither's of the two."""
        presented = fields.pop(FORM_TOKEN, "").encode("utf-8", "surrogatepass")
        good = [] if owner is None else [owner.session.csrf]
        good += [] if browser is None else [self.token(browser)]
        if not any(hmac.compare_digest(token.encode("ascii"), presented) for token in good):
            raise OriginRefused


def _is_utf8(charset: str | None) -> bool:
    # Browsers name none or this one (our pages are in it). Others decode to text that no answer could carry.
    return charset is None or charset.lower() == "utf-8"
