"""The page that asks how the document ends, before a login by a number that was long not used (LOG-6).

Owns ``/h5/login/document``. Whoever has no such login under way is led to its beginning.
"""

from __future__ import annotations

from aiohttp import web

from bjidp.accounts.drafts import DraftUnknown
from bjidp.accounts.errors import TailSpent
from bjidp.accounts.fields import Fault, Field, missing
from bjidp.accounts.login.flow import Proved
from bjidp.accounts.login.tails import DocumentTails
from bjidp.accounts.masks import mask_phone
from bjidp.errors import AccountRefused, FieldFault, InvalidRequest, Retryable
from bjidp.web.forms.desk import Asker, Desk, StaleForm
from bjidp.web.forms.form_again import Posted
from bjidp.web.login.code import CODE, TAIL, CodeLoginPages
from bjidp.web.login.forms import CodeForm, require_nobody
from bjidp.web.login.phone import PhoneLogin
from bjidp.web.pages.form_view import Form, FormView
from bjidp.web.pages.login import DocumentTailPage


class TailForm(Form, frozen=True):
    """The last characters of a document."""

    tail: str = ""

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "TailForm(***)"


class DocumentTailPages:
    """Handlers of the page."""

    def __init__(
        self, *, desk: Desk, phone_login: PhoneLogin, code_login: CodeLoginPages, tails: DocumentTails
    ) -> None:
        """Take every dependency; ``code_login`` lets in whoever is right."""
        self._desk = desk
        self._phone_login = phone_login
        self._code_login = code_login
        self._tails = tails

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get(TAIL, self.page)
        app.router.add_post(TAIL, self.post)

    async def page(self, request: web.Request) -> web.Response:
        """Ask for the last characters of the document."""
        asker = await self._desk.visit(request)
        form = TailForm(flow=request.query.get("flow", ""))
        try:
            number = await self._tails.asked(asker.holder, form.flow)
        except DraftUnknown:
            return self._desk.lead(asker, CODE)
        return self._again(request, asker, Posted(form), number)

    async def post(self, request: web.Request) -> web.Response:
        """Log in if they are right; whoever has to begin again is told why."""
        try:
            asker, form = await self._desk.read(request, TailForm)
        except StaleForm as stale:
            # The login went with the browser record it was of.
            return await self._phone_login.again(request, stale.asker, Posted(CodeForm(), DraftUnknown()))
        require_nobody(asker, CODE)
        try:
            return await self._check(request, asker, form, await self._tails.asked(asker.holder, form.flow))
        except (DraftUnknown, TailSpent, AccountRefused) as over:
            return await self._phone_login.again(request, asker, Posted(CodeForm(), over))

    async def _check(self, request: web.Request, asker: Asker, form: TailForm, number: str) -> web.Response:
        faults = missing(Field.TAIL, form.tail)
        if faults:
            return self._again(request, asker, Posted(form, InvalidRequest(*faults)), number)
        try:
            found = await self._tails.check(asker.holder, form.flow, form.tail, asker.source)
            if isinstance(found, Proved):
                return await self._code_login.let_in(request, asker, found)
        except Retryable as trouble:
            return self._again(request, asker, Posted(form, trouble), number)
        wrong = InvalidRequest(FieldFault(Field.TAIL, Fault.WRONG))
        return self._again(request, asker, Posted(form, wrong), number, tries_left=found)

    def _again(
        self,
        request: web.Request,
        asker: Asker,
        posted: Posted[TailForm],
        number: str,
        *,
        tries_left: int | None = None,
    ) -> web.Response:
        form = posted.told(FormView(csrf=asker.csrf, flow=posted.form.flow))
        page = DocumentTailPage(phone=mask_phone(number), form=form, tries_left=tries_left)
        return self._desk.answer(request, asker, page, because=posted.because)
