"""Posted forms: who may post one, and what is in it.

Owns the check that a form was sent by a page of ours in this very browser: an exact ``Origin`` and a token that only
a page rendered for this browser holds. Pages before a login hold one derived from the browser secret, pages after it
the session's own.
"""

from __future__ import annotations

import hmac

from aiohttp import web

from bjidp.entropy import base64url
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.mac import MacKey
from bjidp.qrlogin.errors import OriginRefused
from bjidp.secret import Secret
from bjidp.site import Site
from bjidp.web.bodies import in_time
from bjidp.web.cookies import Cookies
from bjidp.web.origin import require_origin
from bjidp.web.signed_in import Owner


class Forms:
    """Reads forms of one site."""

    def __init__(self, site: Site, cookies: Cookies, key: Secret) -> None:
        """Derive the tokens of pages before a login with ``key``."""
        self._site = site
        self._cookies = cookies
        self._key = MacKey(key.reveal())

    def token(self, browser_secret: str) -> str:
        """Return the token for forms on a page before a login."""
        message = b"bjidp.csrf|" + browser_secret.encode("utf-8", "surrogatepass")
        return base64url(self._key.mac(message))

    async def read(self, request: web.Request, owner: Owner | None) -> dict[str, str]:
        """Return the form's fields, each given once.

        Raises :class:`OriginRefused` for a form of another site's page or without a token of this browser,
        :class:`InvalidRequest` for a body that is no plain form, and ``RequestTimeout`` for one that does not come.
        """
        require_origin(self._site, request)
        if request.content_type != "application/x-www-form-urlencoded" or not _is_utf8(request.charset):
            raise InvalidRequest(FieldFault("", "content_type"))
        try:
            posted = await in_time(request.post())
        except (ValueError, LookupError):
            raise InvalidRequest(FieldFault("", "form")) from None
        fields: dict[str, str] = {}
        for name, value in posted.items():
            if name in fields or not isinstance(value, str):
                raise InvalidRequest(FieldFault(name[:64], "repeated"))
            fields[name] = value
        presented = fields.pop("csrf", "").encode("utf-8", "surrogatepass")
        secret = self._cookies.browser_secret(request)
        good = [] if owner is None else [owner.session.csrf]
        good += [] if secret is None else [self.token(secret)]
        if not any(hmac.compare_digest(token.encode("ascii"), presented) for token in good):
            raise OriginRefused
        return fields


def _is_utf8(charset: str | None) -> bool:
    # Browsers name none or this one (our pages are in it). Others decode to text that no answer could carry.
    return charset is None or charset.lower() == "utf-8"
