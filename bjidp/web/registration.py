"""The pages where somebody registers: the form, 实名认证, the end (REG-1 to REG-6).

Owns ``/register…`` and ``/h5/register…``. Each asks what step is due and leads there; the form is shown again with what
was typed and what is wrong beside it, and whatever was done answers with a redirect.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts.drafts import Draft
from bjidp.accounts.errors import PhoneTaken, UsernameTaken
from bjidp.accounts.registration.flow import Begun, Identity, Registered, Step, Surface, Typed, next_step, to_session
from bjidp.accounts.registration.service import Applicant, Registrations, registered
from bjidp.errors import BjidpError, FieldFault, InvalidRequest, Retryable
from bjidp.platforms import Provider
from bjidp.proofing.errors import IdentityMismatch, IdentityOther
from bjidp.proofing.real_name import RealNames
from bjidp.qrlogin.browsers import Browsers
from bjidp.qrlogin.errors import BrowserUnknown
from bjidp.qrlogin.flow import Client
from bjidp.qrlogin.policy import Purpose
from bjidp.sessions.ports import Way
from bjidp.verification.errors import SmsNotOffered
from bjidp.verification.number import mobile_number
from bjidp.web.centre.views import SettingForm
from bjidp.web.forms.arrival import Arrivals
from bjidp.web.forms.desk import Asker, Desk, StaleForm
from bjidp.web.forms.field_faults import Beside
from bjidp.web.forms.form_again import FormViews, Posted
from bjidp.web.forms.login_first import is_own
from bjidp.web.forms.signed_in import Owner
from bjidp.web.forms.visiting import visit_of
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import is_phone, surface_of
from bjidp.web.pages.form_view import Form, FormView, with_code
from bjidp.web.pages.registration import RegisteredPage, RegisterH5Page, RegisterIdentityPage, RegisterPage
from bjidp.web.pages.rendering import Renderer

BESIDE: Final[Beside] = {UsernameTaken: ("username", "taken"), PhoneTaken: ("phone", "taken")}
"""Which field an error of the registration is told beside, and in which words."""

_PATH: Final = {
    Step.ACCOUNT: "/register",
    Step.IDENTITY: "/register/identity",
    Step.DONE: "/register/done",
}


class RegistrationForm(Form, frozen=True, forbid_unknown_fields=True):
    """The fields of both forms."""

    username: str = ""
    phone: str = ""
    code: str = ""
    password: str = ""
    again: str = ""
    agreed: str = ""
    national: str = ""

    @property
    def typed(self) -> Typed:
        """The form as the rules see it."""
        return Typed(
            username=self.username,
            phone=self.phone,
            captcha=self.captcha,
            captcha_id=self.captcha_id,
            code=self.code,
            password=self.password,
            again=self.again,
            agreed=self.agreed == "yes",
            national=self.national == "yes",
        )

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "RegistrationForm(***)"


class RegistrationSettings(Struct, frozen=True):
    """Where somebody goes who came from nowhere else, the personal centre, and which outside services there are."""

    client: Client
    home: str
    bank_cards: bool
    national: bool


class RegistrationPages:
    """Handlers of the registration."""

    def __init__(
        self,
        *,
        settings: RegistrationSettings,
        desk: Desk,
        registrations: Registrations,
        real_names: RealNames,
        form_views: FormViews,
        browsers: Browsers,
        cookies: Cookies,
        arrivals: Arrivals,
        renderer: Renderer,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._settings = settings
        self._desk = desk
        self._registrations = registrations
        self._real_names = real_names
        self._form_views = form_views
        self._browsers = browsers
        self._cookies = cookies
        self._arrivals = arrivals
        self._renderer = renderer

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for surface in Surface:
            app.router.add_get(_at(surface, Step.ACCOUNT), self.form)
            app.router.add_post(_at(surface, Step.ACCOUNT), self.post)
            app.router.add_get(_at(surface, Step.IDENTITY), self.identity)
            app.router.add_post(_at(surface, Step.IDENTITY), self.identify)
            app.router.add_get(_at(surface, Step.DONE), self.done)

    async def form(self, request: web.Request) -> web.Response:
        """Show the form, as far as it was filled in; lead phones to theirs."""
        surface = surface_of(request)
        asker = await self._desk.visit(request)
        if asker.owner is not None:
            return self._desk.lead(asker, self._onward(asker.owner, surface))
        if surface is Surface.PC and is_phone(request):
            return self._desk.lead(asker, f"/h5{request.rel_url.raw_path_qs}")
        draft = await self._registrations.find(asker.holder, request.query.get("flow"))
        facts = None if draft is None else draft.facts
        values = {} if facts is None else _values(facts.username, facts.phone, facts.agreed, facts.national)
        view = await self._form_views.fill(_view(asker, draft, values), asker.holder, asker.source)
        return self._desk.answer(request, asker, self._page(surface, view, draft, proved=_is_proved(draft, values)))

    async def post(self, request: web.Request) -> web.Response:
        """Send a code, show another picture, take another number, or register: what was pressed says which."""
        surface = surface_of(request)
        present = await self._desk.known(request)
        if present is not None and present.owner is not None:
            # Registered in another tab meanwhile, however long this one was open.
            return self._desk.lead(present, self._onward(present.owner, surface))
        try:
            asker, form = await self._desk.read(request, RegistrationForm)
        except StaleForm as stale:
            return await self._again(request, stale.asker, stale.form(RegistrationForm), stale)
        applicant = await self._applicant(request, asker)
        try:
            if form.wants_captcha:
                return await self._again(request, asker, form, None)
            match form.act:
                case "":
                    made = await self._registrations.register(applicant, form.flow, surface, form.typed)
                    return await self._arrivals.let_in(
                        request,
                        asker,
                        made.account,
                        Way.REGISTRATION,
                        where=_at(surface, Step.IDENTITY),
                        data=to_session(made.facts),
                        browser_stays=True,
                    )
                case "code":
                    flow = await self._registrations.ask_code(applicant, form.flow, surface, form.typed)
                    return await self._asked(request, asker, form, flow)
                case "number":
                    draft = await self._registrations.forget_number(applicant, form.flow)
                    # Never what was posted: it may be no id at all (attack T4).
                    query = "" if draft is None else f"?flow={draft.id}"
                    return self._desk.lead(asker, f"{_at(surface, Step.ACCOUNT)}{query}")
                case _:
                    raise InvalidRequest(FieldFault("act", "unknown"))
        except BjidpError as error:
            return await self._again(request, asker, form, error)

    async def identity(self, request: web.Request) -> web.Response:
        """Show 实名认证, which can be left for later."""
        surface = surface_of(request)
        asker = await self._desk.visit(request)
        elsewhere = self._elsewhere(asker, surface, Step.IDENTITY)
        if elsewhere is not None:
            return self._desk.lead(asker, elsewhere)
        page = RegisterIdentityPage(form=FormView(csrf=asker.csrf), h5=surface is Surface.H5)
        return self._desk.answer(request, asker, page)

    async def identify(self, request: web.Request) -> web.Response:
        """Prove who the person is, or go on without: what was pressed says which."""
        surface = surface_of(request)
        present = await self._desk.known(request)
        elsewhere = None if present is None else self._elsewhere(present, surface, Step.IDENTITY)
        if present is not None and elsewhere is not None:
            # Done in another tab, or nobody is logged in any more.
            return self._desk.lead(present, elsewhere)
        try:
            asker, form = await self._desk.read(request, SettingForm)
        except StaleForm as stale:
            return self._desk.lead(stale.asker, _at(surface, Step.ACCOUNT))
        if asker.owner is None:
            return self._desk.lead(asker, _at(surface, Step.ACCOUNT))
        if form.act == "" and not self._registrations.is_fresh(asker.owner.session):
            # Whoever sits there now proves who they are first (attack R4).
            return self._desk.lead(asker, _home("/centre/real_name", surface))
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
            return self._identity_again(request, asker, form, error)
        held_by = () if held is None else held.by
        await self._registrations.leave_identity(self._cookies.session_cookie(request), left, held_by)
        return self._desk.lead(asker, _at(surface, Step.DONE))

    def _identity_again(self, request: web.Request, asker: Asker, form: SettingForm, error: BjidpError) -> web.Response:
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
        elsewhere = self._elsewhere(asker, surface, Step.DONE)
        if elsewhere is not None:
            return self._desk.lead(asker, elsewhere)
        facts = _facts(asker)
        home = _home(self._settings.home, surface)
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

    async def _asked(self, request: web.Request, asker: Asker, form: RegistrationForm, flow: str) -> web.Response:
        surface = surface_of(request)
        if "application/json" not in request.headers.get("Accept", ""):
            return self._desk.lead(asker, f"{_at(surface, Step.ACCOUNT)}?flow={flow}")
        draft = await self._registrations.find(asker.holder, flow)
        view = await self._form_views.fill(_view(asker, draft, {}), asker.holder, asker.source)
        return self._desk.answer(request, asker, self._page(surface, view, draft))

    async def _again(
        self, request: web.Request, asker: Asker, form: RegistrationForm, error: BjidpError | None
    ) -> web.Response:
        """Show the form with what was typed, and what is wrong with it."""
        posted = Posted(form, error, BESIDE)
        posted.require_told(StaleForm, Retryable, SmsNotOffered)
        draft = await self._registrations.find(asker.holder, form.flow)
        values = _values(form.username, form.phone, form.typed.agreed, form.typed.national)
        if "code" not in posted.faults and not isinstance(error, StaleForm | PhoneTaken):
            # It was not used, so the message need not be looked up again.
            values["code"] = form.code
        view = await self._form_views.fill(_view(asker, draft, values), asker.holder, asker.source, posted)
        taken = isinstance(error, PhoneTaken)
        page = self._page(surface_of(request), view, draft, proved=_is_proved(draft, values), taken=taken)
        return self._desk.answer(request, asker, page, because=posted.because)

    def _page(
        self, surface: Surface, form: FormView, draft: Draft[Begun] | None, *, proved: bool = False, taken: bool = False
    ) -> RegisterPage | RegisterH5Page:
        provider = _provider(draft)
        if surface is Surface.H5:
            return RegisterH5Page(form=form, proved=proved, provider=provider, taken=taken)
        national = self._settings.national
        return RegisterPage(form=form, proved=proved, provider=provider, taken=taken, national=national)

    async def _applicant(self, request: web.Request, asker: Asker) -> Applicant:
        client, following = await self._origin(request)
        return Applicant(holder=asker.holder, source=asker.source, next=following, client=client)

    async def _origin(self, request: web.Request) -> tuple[str, str]:
        """Return the site the login page of this browser was opened for, and where that would have led (attack T4)."""
        try:
            browser = (await self._browsers.find(self._cookies.browser_secret(request))).value
        except BrowserUnknown:
            browser = None
        about = None if browser is None else browser.newest(Purpose.LOGIN)
        if about is None or is_own(about.next):
            return self._settings.client.name, self._settings.home
        return about.client.name, about.next

    def _elsewhere(self, asker: Asker, surface: Surface, step: Step) -> str | None:
        """Return where somebody has to go who is not at ``step``, None for who is."""
        if asker.owner is not None and _facts(asker) is None:
            return _home(self._settings.home, surface)
        due = next_step(_facts(asker))
        return None if due is step else _at(surface, due)

    def _onward(self, owner: Owner, surface: Surface) -> str:
        """Return where somebody goes who is logged in and asks for the form."""
        facts = registered(owner.session)
        if facts is not None and next_step(facts) is Step.IDENTITY:
            return _at(surface, Step.IDENTITY)
        # That page says who is logged in, and lets them log out.
        return _home("/login", surface)


def _view(asker: Asker, draft: Draft[Begun] | None, values: dict[str, str]) -> FormView:
    view = FormView(csrf=asker.csrf, values=values)
    if draft is None:
        return view
    return with_code(replace(view, flow=draft.id), draft.facts.dispatch or "", draft.facts.again_at, draft.now)


def _facts(asker: Asker) -> Registered | None:
    return None if asker.owner is None else registered(asker.owner.session)


def _provider(draft: Draft[Begun] | None) -> Provider | None:
    return None if draft is None or draft.facts.external is None else draft.facts.external.provider


def _is_proved(draft: Draft[Begun] | None, values: dict[str, str]) -> bool:
    number = mobile_number(values["phone"]) if values else None
    return draft is not None and number is not None and draft.facts.proved == number.digits


def _values(username: str, phone: str, agreed: bool, national: bool) -> dict[str, str]:  # noqa: FBT001 - two boxes
    boxes = {"agreed": agreed, "national": national}
    return {"username": username, "phone": phone} | {box: "yes" if ticked else "" for box, ticked in boxes.items()}


def _at(surface: Surface, step: Step) -> str:
    return _home(_PATH[step], surface)


def _home(path: str, surface: Surface) -> str:
    return f"/h5{path}" if surface is Surface.H5 else path
