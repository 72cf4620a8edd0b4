"""验证身份 by QR (ACC-8): the code that names one operation, for pages of their own and for parts of others.

Owns opening a flow with an errand for whoever is at a page, and ``/centre/verify/<operation>``, the page that verifies
a person who is logged in. The personal centre leads here; where the page leads afterwards is written here and nowhere
else (attack T4).
"""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from bjidp.qrlogin.errands import Errands
from bjidp.qrlogin.flow import Client, Errand, Purposeful
from bjidp.qrlogin.policy import Purpose
from bjidp.throttle.ports import Throttle, per_minute
from bjidp.verification.proofs import Operation, Proofs
from bjidp.web.forms.desk import Asker, Desk
from bjidp.web.forms.login_first import HOME, LoginFirst
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.errors import NotFound
from bjidp.web.pages.qr import VerifyPage
from bjidp.web.pages.qr_card import QrCard
from bjidp.web.pages.rendering import Renderer

OPENED: Final = per_minute(1200)
"""Codes an address may open: each may cost a browser record (attack Q23)."""

PAGE: Final = f"{HOME}/verify/"

_FLOW: Final = re.compile(r"[A-Za-z0-9_-]{22}")
"""The name of a change under way."""


class QrSettings(Struct, frozen=True):
    """What a QR shows of this installation; ``simulator`` as in :class:`bjidp.web.login.opening.LoginSettings`."""

    client: Client
    basis_url: str
    simulator: str | None


class VerifyTickets:
    """Opens flows that verify somebody, and that show a face."""

    def __init__(self, *, settings: QrSettings, errands: Errands, cookies: Cookies, throttle: Throttle) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._settings = settings
        self._errands = errands
        self._cookies = cookies
        self._throttle = throttle

    async def open(
        self,
        request: web.Request,
        asker: Asker,
        *,
        account: str | None,
        operation: Operation,
        page: str,
        next_page: str,
    ) -> tuple[Asker, QrCard]:
        """Return what ``page`` shows, and who asks with the secret that the answer has to give the browser.

        When ``account`` has confirmed ``operation``, the asker's holder has its proof and the page goes on to
        ``next_page``. ``account`` is None for an account that there is none of. Both addresses are paths of this site
        from the code. Raises ``RateLimited`` and ``StoreUnavailable``.
        """
        own = None if asker.owner is None else asker.owner.session.account
        if operation is not Operation.RECOVER and (own is None or account != own):
            raise ValueError("whoever is logged in asks, and for the own account alone")
        session = None if asker.owner is None else asker.owner.session.id
        errand = Errand(operation, account, session)
        return await self.show(request, asker, Purpose.VERIFY, errand, page=page, next_page=next_page)

    async def show(
        self, request: web.Request, asker: Asker, purpose: Purpose, errand: Errand, *, page: str, next_page: str
    ) -> tuple[Asker, QrCard]:
        """As :meth:`open`, for an errand of whoever asks."""
        await asker.source.hit(self._throttle, "verify.opened", OPENED)
        about = Purposeful(purpose, self._settings.client, next_page, page, errand)
        opened = await self._errands.open_page(asker.secret or self._cookies.browser_secret(request), about)
        card = QrCard(flow=opened.flow, basis_url=self._settings.basis_url, embedder=self._settings.simulator)
        return replace(asker, secret=opened.secret), card


class VerifyPages:
    """The handler of the page."""

    def __init__(
        self,
        *,
        operations: frozenset[Operation],
        tickets: VerifyTickets,
        proofs: Proofs,
        desk: Desk,
        cookies: Cookies,
        renderer: Renderer,
        login_first: LoginFirst,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them. ``operations`` are the settings that there are here."""
        self._operations = operations
        self._login_first = login_first
        self._tickets = tickets
        self._proofs = proofs
        self._desk = desk
        self._cookies = cookies
        self._renderer = renderer

    def mount(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_get(f"{PAGE}{{operation}}", self.verify)

    async def verify(self, request: web.Request) -> web.Response:
        """Show the code to the session's owner, or lead on to the operation when it is proved already."""
        operation, next_page = self._named(request.match_info["operation"])
        # The change that it is a step of; whose it is, its own page looks.
        flow = request.query.get("flow", "")
        of = f"?flow={flow}" if _FLOW.fullmatch(flow) else ""
        next_page += of
        asker = await self._desk.visit(request)
        if asker.owner is None:
            raise await self._login_first.lead(request, asker)
        account, epoch = asker.owner.session.account, asker.owner.standing.epoch
        if await self._proofs.held(asker.holder, account, operation, epoch):
            return self._desk.lead(asker, next_page)
        asker, card = await self._tickets.open(
            request, asker, account=account, operation=operation, page=PAGE + operation + of, next_page=next_page
        )
        page = VerifyPage(operation=operation.value, back=next_page, card=card)
        response = web.Response(body=self._renderer.render(page), content_type="text/html", charset="utf-8")
        self._cookies.set_browser(response, asker.secret or "")
        return response

    def _named(self, name: str) -> tuple[Operation, str]:
        """Return the operation, and the page that it is done on."""
        try:
            operation = Operation(name)
        except ValueError:
            raise NotFound from None
        if operation not in self._operations:
            raise NotFound
        return operation, f"{HOME}/{operation}"
