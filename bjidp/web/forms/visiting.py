"""A visit of whoever is logged in, as the services behind pages are told of it."""

from __future__ import annotations

from aiohttp import web

from bjidp.accounts.verifying import Visit
from bjidp.web.forms.desk import Asker
from bjidp.web.forms.signed_in import Owner
from bjidp.web.http.cookies import Cookies


def visit_of(request: web.Request, cookies: Cookies, asker: Asker, owner: Owner) -> Visit:
    """Return the visit of the ``owner`` of the session that a request came with."""
    cookie = cookies.session_cookie(request) or ""
    return Visit(session=owner.session, cookie=cookie, source=asker.source, epoch=owner.standing.epoch)
