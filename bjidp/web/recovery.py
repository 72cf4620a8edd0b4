"""The pages of a forgotten password (REC-1 to REC-4).

Owns ``/recover…`` and ``/h5/recover…``. Each asks what step is due and leads there; a form is shown again with what was
typed and what is wrong beside it, and whatever was done answers with a redirect. No page tells whether there is an
account (attack R1), and none logs anybody in (attack R2).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeAlias

from aiohttp import web
from msgspec import Struct

from bjidp.accounts.drafts import DraftUnknown
from bjidp.accounts.recovery.flow import Recovery, Step
from bjidp.accounts.recovery.forms import Choosing, Naming, Proving
from bjidp.accounts.recovery.service import Asking, NotDue, Recoveries
from bjidp.accounts.surface import Surface
from bjidp.errors import BjidpError, Retryable
from bjidp.standing import Standing
from bjidp.verification.errors import SmsNotOffered
from bjidp.verification.proofs import Operation
from bjidp.web.forms.arrival import Arrivals
from bjidp.web.forms.desk import Asker, Desk, FormPage, StaleForm
from bjidp.web.forms.form_again import FormViews, Posted
from bjidp.web.http.bodies import JSON
from bjidp.web.http.visitor import is_phone, surface_of
from bjidp.web.pages import recovery as pages
from bjidp.web.pages.form_view import Form, FormView, with_code
from bjidp.web.qr.verifying import VerifyTickets

_AT: Final = {
    (Surface.PC, Step.IDENTITY): "/recover/ways",
    (Surface.PC, Step.PASSWORD): "/recover/password",
    (Surface.PC, Step.SAVING): "/recover/done",
    (Surface.PC, Step.DONE): "/recover/done",
    (Surface.H5, Step.IDENTITY): "/h5/recover/code",
    (Surface.H5, Step.NOBODY): "/h5/recover/nobody",
    (Surface.H5, Step.PASSWORD): "/h5/recover/password",
    (Surface.H5, Step.SAVING): "/h5/recover/done",
    (Surface.H5, Step.DONE): "/h5/recover/done",
}
"""Where each step is; a recovery that is at none of these begins again."""

_START: Final = {Surface.PC: "/recover", Surface.H5: "/h5/recover"}
_CODE: Final = {Surface.PC: "/recover/code", Surface.H5: "/h5/recover/code"}
_JINGTONG: Final = "/recover/jingtong"
_LOGIN: Final = {Surface.PC: "/login", Surface.H5: "/h5/login"}

Build: TypeAlias = Callable[[Recovery, FormView], FormPage]
"""Makes a page of what is known and of its form."""

Act: TypeAlias = Callable[[Asking, "RecoveryForm"], Awaitable[Step | None]]
"""Does what a form asks for, and returns the step that is due then; None shows the page again."""


class RecoveryForm(Form, frozen=True, forbid_unknown_fields=True):
    """The fields of every form here."""

    account: str = ""
    phone: str = ""
    document: str = ""
    code: str = ""
    password: str = ""
    again: str = ""

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "RecoveryForm(***)"

    @property
    def naming(self) -> Naming:
        """The first form as the rules see it."""
        return Naming(name=self.account, phone=self.phone, captcha=self.captcha, captcha_id=self.captcha_id)

    @property
    def proving(self) -> Proving:
        """The form of 验证身份 as the rules see it."""
        return Proving(document=self.document, captcha=self.captcha, captcha_id=self.captcha_id, code=self.code)


class _Page(Struct, frozen=True):
    """A page of a recovery whose account was named: how it is made for each step that may be due at it."""

    build: dict[Step, Build]
    asks_code: bool = False


_DONE: Final = _Page({Step.DONE: pages.RecoverDonePage.of, Step.SAVING: pages.RecoverSavingPage.of})
_PAGES: Final = {
    "/recover/ways": _Page({Step.IDENTITY: pages.RecoverWaysPage.of}),
    "/recover/help": _Page({Step.IDENTITY: pages.RecoverHelpPage.of}),
    "/recover/code": _Page({Step.IDENTITY: pages.RecoverCodePage.of}, asks_code=True),
    "/recover/password": _Page({Step.PASSWORD: pages.RecoverPasswordPage.of}),
    "/recover/done": _DONE,
    "/h5/recover/code": _Page({Step.IDENTITY: pages.RecoverCodeH5Page.of}, asks_code=True),
    "/h5/recover/password": _Page({Step.PASSWORD: pages.RecoverPasswordH5Page.of}),
    "/h5/recover/done": _DONE,
    "/h5/recover/nobody": _Page({Step.NOBODY: pages.RecoverNobodyPage.of}),
}


class RecoveryPages:
    """Handlers of recoveries."""

    def __init__(
        self, *, desk: Desk, arrivals: Arrivals, tickets: VerifyTickets, recoveries: Recoveries, form_views: FormViews
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._desk = desk
        self._arrivals = arrivals
        self._tickets = tickets
        self._recoveries = recoveries
        self._form_views = form_views

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for surface in Surface:
            app.router.add_get(_START[surface], self.start)
            app.router.add_post(_START[surface], self.name)
            app.router.add_post(_CODE[surface], self.prove)
            app.router.add_post(_AT[surface, Step.PASSWORD], self.choose)
        for path in _PAGES:
            app.router.add_get(path, self.page)
        app.router.add_get(_JINGTONG, self.jingtong)

    async def start(self, request: web.Request) -> web.Response:
        """Ask whose password it is; lead phones to their pages, and whoever is logged in to the page that says so."""
        surface = surface_of(request)
        asker = await self._desk.visit(request)
        if asker.owner is not None:
            return self._desk.lead(asker, _LOGIN[surface])
        if surface is Surface.PC and is_phone(request):
            return self._desk.lead(asker, _START[Surface.H5])
        return await self._start(request, asker)

    async def page(self, request: web.Request) -> web.Response:
        """Show a page of a recovery whose account was named."""
        asker = await self._desk.visit(request)
        if asker.owner is not None:
            return self._desk.lead(asker, _LOGIN[surface_of(request)])
        return await self._show(request, asker, request.query.get("flow"))

    async def jingtong(self, request: web.Request) -> web.Response:
        """Show a QR that the account's own 京通 confirms; for a decoy one that nobody's does."""
        asker = await self._desk.visit(request)
        if asker.owner is not None:
            return self._desk.lead(asker, _LOGIN[Surface.PC])
        try:
            draft, due = await self._recoveries.look(self._asking(request, asker), request.query.get("flow"))
        except DraftUnknown as over:
            return await self._start(request, asker, Posted(RecoveryForm(), over))
        facts = draft.facts
        if due is not Step.IDENTITY or facts.surface is not Surface.PC:
            return await self._lead(request, asker, facts.surface, due, draft.id)
        asker, card = await self._tickets.open(
            request,
            asker,
            account=facts.account if facts.real else None,
            operation=Operation.RECOVER,
            page=f"{_JINGTONG}?flow={draft.id}",
            next_page=f"{_AT[Surface.PC, Step.PASSWORD]}?flow={draft.id}",
        )
        page = pages.RecoverJingtongPage(form=FormView(csrf=asker.csrf, flow=draft.id), card=card)
        return self._desk.answer(request, asker, page)

    async def name(self, request: web.Request) -> web.Response:
        """Take the name of an account."""
        surface = surface_of(request)
        try:
            asker, form = await self._desk.read(request, RecoveryForm)
        except StaleForm as stale:
            return await self._start(request, stale.asker, Posted(stale.form(RecoveryForm), stale))
        if form.wants_captcha:
            return await self._start(request, asker, Posted(form))
        try:
            recovery = await self._recoveries.begin(self._asking(request, asker), surface, form.naming)
        except BjidpError as wrong:
            return await self._start(request, asker, Posted(form, wrong))
        return self._desk.lead(asker, f"{_AT[surface, Step.IDENTITY]}?flow={recovery}")

    async def prove(self, request: web.Request) -> web.Response:
        """Send a code, show another picture, or check what was typed: what was pressed says which."""

        async def act(asking: Asking, form: RecoveryForm) -> Step | None:
            if form.wants_captcha:
                return None
            if form.act == "code":
                await self._recoveries.send_code(asking, form.flow, form.proving)
                return None
            return await self._recoveries.prove(asking, form.flow, form.proving)

        return await self._posted(request, act)

    async def choose(self, request: web.Request) -> web.Response:
        """Take the new password."""

        async def act(asking: Asking, form: RecoveryForm) -> Step:
            chosen = Choosing(password=form.password, again=form.again)
            if (standing := await self._recoveries.set_password(asking, form.flow, chosen)) is not None:
                recovered.append(standing)
            return Step.DONE

        recovered: list[Standing] = []
        response = await self._posted(request, act)
        for standing in recovered:
            # No browser is known any more, and strangers may have used up their share of everything.
            self._arrivals.remember(request, response, standing)
        return response

    async def _posted(self, request: web.Request, act: Act) -> web.Response:
        try:
            asker, form = await self._desk.read(request, RecoveryForm)
        except StaleForm as stale:
            return await self._start(request, stale.asker, Posted(RecoveryForm(), stale))
        due: Step | None = None
        wrong: BjidpError | None = None
        try:
            due = await act(self._asking(request, asker), form)
        except NotDue as elsewhere:
            return await self._lead(request, asker, elsewhere.draft.facts.surface, elsewhere.step, form.flow)
        except DraftUnknown as over:
            return await self._start(request, asker, Posted(RecoveryForm(), over))
        except BjidpError as error:
            wrong = error
        if due is not None:
            return await self._lead(request, asker, surface_of(request), due, form.flow)
        sent = form.act == "code" and not form.wants_captcha and wrong is None
        if sent and JSON not in request.headers.get("Accept", ""):
            # Going back or reloading sends no other code.
            return self._desk.lead(asker, f"{request.path}?flow={form.flow}")
        return await self._show(request, asker, form.flow, Posted(form, wrong))

    async def _show(
        self, request: web.Request, asker: Asker, recovery: str | None, posted: Posted[RecoveryForm] | None = None
    ) -> web.Response:
        """Show a page of a recovery, if it is the one that is due; after a post with what was typed."""
        try:
            draft, due = await self._recoveries.look(self._asking(request, asker), recovery)
        except DraftUnknown as over:
            return await self._start(request, asker, Posted(RecoveryForm(), over))
        page, facts = _PAGES[request.path], draft.facts
        build = page.build.get(due)
        if build is None or facts.surface is not surface_of(request):
            if posted is not None and isinstance(posted.error, Retryable):
                # The password was about to be written, and nobody knows that it was.
                raise posted.error
            return await self._lead(request, asker, facts.surface, due, draft.id)
        view = FormView(
            csrf=asker.csrf,
            flow=draft.id,
            values={"document": facts.document if posted is None else posted.form.document},
        )
        view = with_code(view, facts.dispatch, facts.again_at, draft.now)
        captcha = page.asks_code and facts.asks_code
        return await self._answer(request, asker, partial(build, facts), view, posted, captcha=captcha)

    async def _start(
        self, request: web.Request, asker: Asker, posted: Posted[RecoveryForm] | None = None
    ) -> web.Response:
        """Show the first form: at the beginning, with what was typed, or in place of a recovery that is over."""
        typed = {} if posted is None else {"account": posted.form.account, "phone": posted.form.phone}
        page = pages.RecoverH5Page if surface_of(request) is Surface.H5 else pages.RecoverPage
        view = FormView(csrf=asker.csrf, values=typed)
        return await self._answer(request, asker, lambda form: page(form=form), view, posted)

    async def _lead(
        self, request: web.Request, asker: Asker, surface: Surface, step: Step, recovery: str
    ) -> web.Response:
        where = _AT.get((surface, step))
        if where is None:
            return await self._start(request, asker, Posted(RecoveryForm(), DraftUnknown()))
        return self._desk.lead(asker, f"{where}?flow={recovery}")

    async def _answer(
        self,
        request: web.Request,
        asker: Asker,
        build: Callable[[FormView], FormPage],
        view: FormView,
        posted: Posted[RecoveryForm] | None,
        *,
        captcha: bool = True,
    ) -> web.Response:
        if posted is not None:
            posted.require_told(StaleForm, DraftUnknown, Retryable, SmsNotOffered)
        view = await self._form_views.fill(view, asker.holder, asker.source, posted, captcha=captcha)
        return self._desk.answer(request, asker, build(view), because=None if posted is None else posted.because)

    def _asking(self, request: web.Request, asker: Asker) -> Asking:
        known_as = self._arrivals.known_as(request)
        return Asking(holder=asker.holder, source=asker.source, knows=lambda account: known_as(account) is not None)
