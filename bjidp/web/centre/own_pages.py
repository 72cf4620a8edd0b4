"""Pages that only whoever is logged in is shown: 个人中心 and what it leads to.

Owns the way from a request to a :class:`bjidp.accounts.verifying.Visit`; everybody else has to log in first. No
session's cookie is taken back on that way: a request that was under way while another one renewed the session must not
lose the new one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from aiohttp import web

from bjidp.accounts.verifying import Visit
from bjidp.web.forms.desk import Asker, Desk, typed
from bjidp.web.forms.login_first import LoginFirst
from bjidp.web.forms.signed_in import SignedIn
from bjidp.web.forms.uploads import Upload, Uploads
from bjidp.web.forms.visiting import visit_of
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import is_phone, on_h5
from bjidp.web.pages.form_view import Form

F = TypeVar("F", bound=Form)


class OwnPages:
    """Receives whoever is logged in."""

    def __init__(
        self, *, desk: Desk, signed_in: SignedIn, cookies: Cookies, login_first: LoginFirst, uploads: Uploads
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._uploads = uploads
        self._desk = desk
        self._login_first = login_first
        self._signed_in = signed_in
        self._cookies = cookies

    async def visited(self, request: web.Request) -> tuple[Asker, Visit]:
        """Return who opens a page; lead strangers to the login page, and phones to the pages made for them."""
        owner = await self._signed_in.visiting(request)
        if owner is None:
            raise await self._login_first.lead(request)
        if not on_h5(request) and is_phone(request):
            raise web.HTTPSeeOther(f"/h5{request.rel_url.raw_path_qs}")
        asker = await self._desk.visit(request)
        return asker, visit_of(request, self._cookies, asker, owner)

    async def posted(self, request: web.Request, kind: type[F]) -> tuple[Asker, Visit, F]:
        """Return who posts a form, and the form; lead strangers to the login page.

        Raises what :meth:`bjidp.web.forms.desk.Desk.read` raises.
        """
        await self._desk.received(request)
        owner = await self._signed_in.of(request)
        if owner is None:
            raise await self._login_first.lead(request)
        asker, form = await self._desk.read(request, kind)
        return asker, visit_of(request, self._cookies, asker, owner), form

    async def uploaded(
        self, request: web.Request, kind: type[F], admit: Callable[[Visit], Awaitable[None]]
    ) -> tuple[Asker, Visit, F, Upload]:
        """Return who posts a form with files, the form, and its files; lead strangers to the login page.

        Strangers before anything of it is read, and whoever's session has ended meanwhile after it (attack P7).
        ``admit`` raises the error by which somebody is refused before their files are read; the upload has it then.
        Raises what :meth:`bjidp.web.forms.uploads.Uploads.read` raises.
        """
        # A stranger is given a browser of their own: none whom another site sends, without the cookie of theirs.
        self._uploads.require_own(request)
        owner = await self._signed_in.of(request)
        if owner is None:
            raise await self._login_first.lead(request)
        asker = self._desk.asker(request, owner)
        visit = visit_of(request, self._cookies, asker, owner)
        upload = await self._uploads.read(request, owner, asker.source, partial(admit, visit))
        if not await self._signed_in.still(request, owner):
            raise await self._login_first.lead(request)
        return asker, visit, typed(upload.fields, kind), upload
