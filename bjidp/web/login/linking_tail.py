"""The page that asks how the document ends, before a binding by a number that was long not used (LOG-4, LOG-6).

Owns ``/login/third/link/document`` and the same under ``/h5``. Whoever has no such binding under way is led to the
login page.
"""

from __future__ import annotations

from aiohttp import web

from bjidp.accounts.drafts import DraftUnknown
from bjidp.accounts.errors import ExternalLoginOver, TailSpent
from bjidp.accounts.external.linking import Linking, Newcomer
from bjidp.accounts.fields import Fault, Field, missing
from bjidp.accounts.login.flow import Proved
from bjidp.accounts.login.tails import DocumentTails
from bjidp.accounts.masks import mask_phone
from bjidp.errors import AccountRefused, FieldFault, InvalidRequest, Retryable
from bjidp.web.forms.desk import Asker, Desk, StaleForm
from bjidp.web.forms.form_again import Posted
from bjidp.web.http.visitor import at, on_h5
from bjidp.web.login.external import Troubles
from bjidp.web.login.forms import require_nobody
from bjidp.web.login.linking import TAIL, LinkForm, LinkingPages
from bjidp.web.pages.external import LinkingTailPage
from bjidp.web.pages.form_view import Form, FormView


class LinkTailForm(Form, frozen=True):
    """The last characters of a document."""

    of: str = ""
    tail: str = ""

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "LinkTailForm(***)"


class LinkingTailPages:
    """Handlers of the page."""

    def __init__(
        self, *, desk: Desk, linking_pages: LinkingPages, linking: Linking, tails: DocumentTails, troubles: Troubles
    ) -> None:
        """Take every dependency; ``tails`` are over the drafts of the codes of ``linking_pages``, which bind."""
        self._desk = desk
        self._linking_pages = linking_pages
        self._linking = linking
        self._tails = tails
        self._troubles = troubles

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for prefix in ("", "/h5"):
            app.router.add_get(f"{prefix}{TAIL}", self.page)
            app.router.add_post(f"{prefix}{TAIL}", self.post)

    async def page(self, request: web.Request) -> web.Response:
        """Ask for the last characters of the document."""
        asker = await self._desk.visit(request)
        require_nobody(asker, at(request, "/login"))
        form = LinkTailForm(of=request.query.get("of", ""), flow=request.query.get("flow", ""))
        try:
            number = await self._tails.asked(asker.holder, form.flow)
            await self._linking.find(asker.holder, form.of)
        except (DraftUnknown, ExternalLoginOver):
            return self._desk.lead(asker, at(request, "/login"))
        return self._again(request, asker, Posted(form), number)

    async def post(self, request: web.Request) -> web.Response:
        """Bind if they are right; whoever has to begin again is told why."""
        try:
            asker, form = await self._desk.read(request, LinkTailForm)
        except StaleForm as stale:
            return self._desk.lead(stale.asker, at(request, "/login"))
        require_nobody(asker, at(request, "/login"))
        try:
            newcomer = await self._linking.find(asker.holder, form.of)
        except ExternalLoginOver:
            return self._desk.lead(asker, at(request, "/login"))
        try:
            return await self._check(request, asker, newcomer, form)
        except (DraftUnknown, TailSpent, AccountRefused) as over:
            return await self._linking_pages.again(request, asker, newcomer, Posted(LinkForm(of=form.of), over))
        except ExternalLoginOver as over:
            return self._troubles.page(request, newcomer.provider, over)

    async def _check(self, request: web.Request, asker: Asker, newcomer: Newcomer, form: LinkTailForm) -> web.Response:
        number = await self._tails.asked(asker.holder, form.flow)
        faults = missing(Field.TAIL, form.tail)
        if faults:
            return self._again(request, asker, Posted(form, InvalidRequest(*faults)), number)
        try:
            found = await self._tails.check(asker.holder, form.flow, form.tail, asker.source)
            if isinstance(found, Proved):
                return await self._linking_pages.bind(request, asker, newcomer, found)
        except Retryable as trouble:
            return self._again(request, asker, Posted(form, trouble), number)
        wrong = InvalidRequest(FieldFault(Field.TAIL, Fault.WRONG))
        return self._again(request, asker, Posted(form, wrong), number, tries_left=found)

    def _again(
        self,
        request: web.Request,
        asker: Asker,
        posted: Posted[LinkTailForm],
        number: str,
        *,
        tries_left: int | None = None,
    ) -> web.Response:
        form = posted.told(FormView(csrf=asker.csrf, flow=posted.form.flow))
        page = LinkingTailPage(
            h5=on_h5(request), of=posted.form.of, phone=mask_phone(number), form=form, tries_left=tries_left
        )
        return self._desk.answer(request, asker, page, because=posted.because)
