"""What follows the form of a registration: 实名认证, which can be left for later, and the end.

Owns ``/register/identity`` and ``/register/done``, and both under ``/h5``.
"""

from __future__ import annotations

from aiohttp import web

from bjidp.accounts.registration.flow import Identity, Step, Surface
from bjidp.accounts.registration.service import Registrations
from bjidp.errors import BjidpError, FieldFault, InvalidRequest, Retryable
from bjidp.proofing.errors import IdentityMismatch, IdentityOther
from bjidp.proofing.real_name import RealNames
from bjidp.web.centre.setting_forms import IdentityForm
from bjidp.web.forms.desk import Asker, Desk, StaleForm
from bjidp.web.forms.form_again import Posted
from bjidp.web.forms.visiting import visit_of
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import surface_of
from bjidp.web.pages.form_view import FormView
from bjidp.web.pages.registration import RegisteredPage, RegisterIdentityPage
from bjidp.web.pages.rendering import Renderer
from bjidp.web.registration.steps import RegistrationSettings, at_step, elsewhere, facts_of, on_surface


class RegistrationIdentityPages:
    """Handlers of these steps."""

    def __init__(
        self,
        *,
        settings: RegistrationSettings,
        desk: Desk,
        registrations: Registrations,
        real_names: RealNames,
        cookies: Cookies,
        renderer: Renderer,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._settings = settings
        self._desk = desk
        self._registrations = registrations
        self._real_names = real_names
        self._cookies = cookies
        self._renderer = renderer

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for surface in Surface:
            app.router.add_get(at_step(surface, Step.IDENTITY), self.identity)
            app.router.add_post(at_step(surface, Step.IDENTITY), self.identify)
            app.router.add_get(at_step(surface, Step.DONE), self.done)

    async def identity(self, request: web.Request) -> web.Response:
        """Show 实名认证, which can be left for later."""
        surface = surface_of(request)
        asker = await self._desk.visit(request)
        due = elsewhere(asker, surface, Step.IDENTITY, self._settings.home)
        if due is not None:
            return self._desk.lead(asker, due)
        page = RegisterIdentityPage(form=FormView(csrf=asker.csrf), h5=surface is Surface.H5)
        return self._desk.answer(request, asker, page)

    async def identify(self, request: web.Request) -> web.Response:
        """Prove who the person is, or go on without: what was pressed says which."""
        surface = surface_of(request)
        present = await self._desk.known(request)
        due = None if present is None else elsewhere(present, surface, Step.IDENTITY, self._settings.home)
        if present is not None and due is not None:
            # Done in another tab, or nobody is logged in any more.
            return self._desk.lead(present, due)
        try:
            asker, form = await self._desk.read(request, IdentityForm)
        except StaleForm as stale:
            return self._desk.lead(stale.asker, at_step(surface, Step.ACCOUNT))
        if asker.owner is None:
            return self._desk.lead(asker, at_step(surface, Step.ACCOUNT))
        if form.act == "" and not self._registrations.is_fresh(asker.owner.session):
            # Whoever sits there now proves who they are first (attack R4).
            return self._desk.lead(asker, on_surface("/centre/real_name", surface))
        left, held = Identity.SKIPPED, None
        try:
            if form.act == "":
                whole = surface is Surface.H5
                visit = visit_of(request, self._cookies, asker, asker.owner)
                held = await self._real_names.at_registration(visit, form.stated, whole=whole)
                left = Identity.BOUND if held is None else Identity.HELD
            elif form.act != "skip":
                raise InvalidRequest(FieldFault("act", "unknown"))
        except BjidpError as error:
            return self._again(request, asker, form, error)
        held_by = () if held is None else held.by
        await self._registrations.leave_identity(self._cookies.session_cookie(request), left, held_by)
        return self._desk.lead(asker, at_step(surface, Step.DONE))

    def _again(self, request: web.Request, asker: Asker, form: IdentityForm, error: BjidpError) -> web.Response:
        posted = Posted(form, error)
        posted.require_told(Retryable, IdentityMismatch, IdentityOther)
        page = RegisterIdentityPage(
            form=posted.told(FormView(csrf=asker.csrf, values=form.kept)),
            h5=surface_of(request) is Surface.H5,
            advice=error.advice if isinstance(error, IdentityMismatch) else (),
        )
        return self._desk.answer(request, asker, page, because=posted.because)

    async def done(self, request: web.Request) -> web.Response:
        """Say that the account is there, and where to go from here."""
        surface = surface_of(request)
        asker = await self._desk.visit(request)
        due = elsewhere(asker, surface, Step.DONE, self._settings.home)
        if due is not None:
            return self._desk.lead(asker, due)
        facts = facts_of(asker)
        home = on_surface(self._settings.home, surface)
        onward = None if facts is None or facts.next == self._settings.home else facts.next
        page = RegisteredPage(
            h5=surface is Surface.H5,
            username="" if asker.owner is None else await self._registrations.username(asker.owner.session.account),
            next=onward,
            client="" if facts is None else facts.client,
            home=home,
            identity=Identity.SKIPPED if facts is None else facts.identity,
            held_by=() if facts is None else facts.held_by,
            bank_cards=self._settings.bank_cards,
            national=facts is not None and facts.national,
        )
        return web.Response(body=self._renderer.render(page), content_type="text/html", charset="utf-8")
