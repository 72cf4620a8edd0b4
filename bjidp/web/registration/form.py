"""The form of a registration, for computers and for phones.

Owns ``/register`` and ``/h5/register``. The form is shown again with what was typed and what is wrong beside it, and
whatever was done answers with a redirect.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from msgspec.structs import replace

from bjidp.accounts.drafts import Draft
from bjidp.accounts.errors import PhoneTaken, UsernameTaken
from bjidp.accounts.registration.flow import Begun, Step, Surface, Typed, next_step, to_session
from bjidp.accounts.registration.service import Applicant, Registrations, registered
from bjidp.errors import BjidpError, FieldFault, InvalidRequest, Retryable
from bjidp.platforms import Provider
from bjidp.qrlogin.browsers import Browsers
from bjidp.qrlogin.errors import BrowserUnknown
from bjidp.qrlogin.policy import Purpose
from bjidp.sessions.ports import Way
from bjidp.verification.errors import SmsNotOffered
from bjidp.verification.number import mobile_number
from bjidp.web.forms.arrival import Arrivals
from bjidp.web.forms.desk import Asker, Desk, StaleForm
from bjidp.web.forms.field_faults import Beside
from bjidp.web.forms.form_again import FormViews, Posted
from bjidp.web.forms.login_first import is_own
from bjidp.web.forms.signed_in import Owner
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import is_phone, surface_of
from bjidp.web.pages.form_view import Form, FormView, with_code
from bjidp.web.pages.registration import RegisterH5Page, RegisterPage
from bjidp.web.registration.steps import RegistrationSettings, at_step, on_surface

BESIDE: Final[Beside] = {UsernameTaken: ("username", "taken"), PhoneTaken: ("phone", "taken")}
"""Which field an error of the registration is told beside, and in which words."""


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


class RegistrationPages:
    """Handlers of the form."""

    def __init__(
        self,
        *,
        settings: RegistrationSettings,
        desk: Desk,
        registrations: Registrations,
        form_views: FormViews,
        browsers: Browsers,
        cookies: Cookies,
        arrivals: Arrivals,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._settings = settings
        self._desk = desk
        self._registrations = registrations
        self._form_views = form_views
        self._browsers = browsers
        self._cookies = cookies
        self._arrivals = arrivals

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for surface in Surface:
            app.router.add_get(at_step(surface, Step.ACCOUNT), self.form)
            app.router.add_post(at_step(surface, Step.ACCOUNT), self.post)

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
                        where=at_step(surface, Step.IDENTITY),
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
                    return self._desk.lead(asker, f"{at_step(surface, Step.ACCOUNT)}{query}")
                case _:
                    raise InvalidRequest(FieldFault("act", "unknown"))
        except BjidpError as error:
            return await self._again(request, asker, form, error)

    async def _asked(self, request: web.Request, asker: Asker, form: RegistrationForm, flow: str) -> web.Response:
        surface = surface_of(request)
        if "application/json" not in request.headers.get("Accept", ""):
            return self._desk.lead(asker, f"{at_step(surface, Step.ACCOUNT)}?flow={flow}")
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

    def _onward(self, owner: Owner, surface: Surface) -> str:
        """Return where somebody goes who is logged in and asks for the form."""
        facts = registered(owner.session)
        if facts is not None and next_step(facts) is Step.IDENTITY:
            return at_step(surface, Step.IDENTITY)
        # That page says who is logged in, and lets them log out.
        return on_surface("/login", surface)


def _view(asker: Asker, draft: Draft[Begun] | None, values: dict[str, str]) -> FormView:
    view = FormView(csrf=asker.csrf, values=values)
    if draft is None:
        return view
    return with_code(replace(view, flow=draft.id), draft.facts.dispatch or "", draft.facts.again_at, draft.now)


def _provider(draft: Draft[Begun] | None) -> Provider | None:
    return None if draft is None or draft.facts.external is None else draft.facts.external.provider


def _is_proved(draft: Draft[Begun] | None, values: dict[str, str]) -> bool:
    number = mobile_number(values["phone"]) if values else None
    return draft is not None and number is not None and draft.facts.proved == number.digits


def _values(username: str, phone: str, agreed: bool, national: bool) -> dict[str, str]:  # noqa: FBT001 - two boxes
    boxes = {"agreed": agreed, "national": national}
    return {"username": username, "phone": phone} | {box: "yes" if ticked else "" for box, ticked in boxes.items()}
