"""What comes before an agreement: logging in anew, choosing an account, proving more of who one is (RP-2, RNV-9).

Owns the pages of these steps and what is pressed on them. Each leads to pages that there are already and keeps the way
back with the session. Called by the authorization endpoint's pages.
"""

from __future__ import annotations

from aiohttp import web

from bjidp.errors import FieldFault, InvalidRequest
from bjidp.oidc.authorize.pending import Look
from bjidp.oidc.authorize.prompting import ChooseAccount, LogIn, ProveMore, Reason
from bjidp.oidc.authorize.ways import ways
from bjidp.oidc.authorizing import Authorizing
from bjidp.proofing.bank_card_proofs import BankCardProofs
from bjidp.qrlogin.browsers import Browsers
from bjidp.qrlogin.flow import Client
from bjidp.sessions.ports import SessionEnd
from bjidp.sessions.service import Sessions
from bjidp.verification.proofs import Operation
from bjidp.web.forms.desk import Asker, Desk
from bjidp.web.forms.login_first import HOME, LoginFirst
from bjidp.web.forms.signed_in import Owner
from bjidp.web.forms.way_back import PROVING, WayBack
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import at, on_h5
from bjidp.web.pages.form_view import FormView
from bjidp.web.pages.oidc import LoginAgainPage, ProveMorePage


class Leading:
    """Leads people through what is missing."""

    def __init__(
        self,
        *,
        authorizing: Authorizing,
        desk: Desk,
        login_first: LoginFirst,
        sessions: Sessions,
        browsers: Browsers,
        cookies: Cookies,
        way_back: WayBack,
        operations: frozenset[Operation],
        bank_cards: BankCardProofs | None,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them. ``operations`` are the settings that there are here."""
        self._bank_cards = bank_cards
        self._authorizing = authorizing
        self._desk = desk
        self._login_first = login_first
        self._sessions = sessions
        self._browsers = browsers
        self._cookies = cookies
        self._way_back = way_back
        self._operations = operations

    async def log_in(self, request: web.Request, look: Look, name: str) -> web.HTTPSeeOther:
        """Return the way to the login page for the site of a request, which leads back to it."""
        client = Client(look.client.name, look.client.domain)
        return await self._login_first.lead_for(request, client, f"{request.path}?request={name}")

    async def page(
        self,
        request: web.Request,
        asker: Asker,
        owner: Owner,
        look: Look,
        name: str,
        step: LogIn | ChooseAccount | ProveMore,
    ) -> web.Response:
        """Show the page of a step to somebody who is logged in."""
        form = FormView(csrf=asker.csrf)
        client, domain, who = look.client.name, look.client.domain, owner.standing.name
        match step:
            case LogIn(reason=reason):
                page = LoginAgainPage(
                    h5=on_h5(request), form=form, client=client, domain=domain, who=who, request=name,
                    reason=reason, other=reason is Reason.SOMEBODY_ELSE,
                )  # fmt: skip
                return self._desk.answer(request, asker, page)
            case ChooseAccount():
                page = LoginAgainPage(
                    h5=on_h5(request), form=form, client=client, domain=domain, who=who, request=name
                )  # fmt: skip
                return self._desk.answer(request, asker, page)
            case ProveMore(level=level):
                account, has = owner.session.account, owner.standing.level
                worn = self._bank_cards is not None and await self._bank_cards.wants_new_document(account)
                return self._desk.answer(
                    request,
                    asker,
                    ProveMorePage(
                        h5=on_h5(request),
                        form=form,
                        client=client,
                        domain=domain,
                        level=level.value,
                        has=has.value,
                        ways=tuple(way.value for way in ways(has, level, worn=worn) if way in self._operations),
                        request=name,
                    ),
                )

    async def stay(self, request: web.Request, asker: Asker, owner: Owner, name: str) -> web.Response:
        """Let somebody go on as who they are."""
        await self._authorizing.keep(name, owner.session.id)
        return self._desk.lead(asker, f"{request.path}?request={name}")

    async def prove(self, request: web.Request, asker: Asker, owner: Owner, name: str, way: str) -> web.Response:
        """Lead to what proves more, or proves anew; it leads back here."""
        wanted = {operation.value: operation for operation in PROVING}.get(way)
        if wanted is None or wanted not in self._operations:
            raise InvalidRequest(FieldFault("way", "unknown"))
        await self._way_back.keep(owner.session, f"{request.path}?request={name}")
        return self._desk.lead(asker, at(request, f"{HOME}/{wanted}"))

    async def switch(self, request: web.Request, owner: Owner, look: Look, name: str) -> web.HTTPSeeOther:
        """End the session of this browser, and return the way to the login of whoever it is that goes on."""
        await self._sessions.end(owner.session, SessionEnd.LOGOUT)
        await self._browsers.end(self._cookies.browser_secret(request))
        way = await self.log_in(request, look, name)
        self._cookies.drop_session(way)
        return way
