"""Logging in by a form: 账号登录 on the PC's login page, 密码登录 and 验证码登录 on phones (LOG-3, LOG-5, LOG-6).

Owns ``POST /login`` and ``/h5/login…``: what is wrong with a field is said beside it, what was typed is kept, and
everything else is the services'. A captcha is used up before a name is looked at; a code needs none, since it was asked
for with one.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts.drafts import DraftUnknown
from bjidp.accounts.errors import CredentialsWrong, TailSpent
from bjidp.accounts.login.password import PasswordLogin
from bjidp.accounts.login.sms import AskTail, NoSuchMember, Proved, SmsLogin
from bjidp.accounts.masks import mask_phone
from bjidp.errors import AccountRefused, BjidpError, FieldFault, InvalidRequest, Retryable
from bjidp.sessions.ports import Way
from bjidp.verification.captchas import Captchas
from bjidp.verification.errors import CaptchaWrong, SmsNotOffered, VerificationCodeExpired, VerificationCodeWrong
from bjidp.verification.number import mobile_number
from bjidp.web import pages
from bjidp.web.arrival import Arrivals
from bjidp.web.desk import Asker, Desk, StaleForm
from bjidp.web.form_again import FormViews, Posted
from bjidp.web.form_view import Form, FormView, with_code
from bjidp.web.login import LoginPages
from bjidp.web.rendering import Renderer

CODE: Final = "/h5/login?tab=code"
TAIL: Final = "/h5/login/document"

_TOLD: Final = (InvalidRequest, CaptchaWrong, CredentialsWrong, AccountRefused, Retryable, SmsNotOffered)
"""What is told on the form, with what was typed kept."""


class PasswordForm(Form, frozen=True):
    """账号登录, and 密码登录 on phones."""

    account: str = ""
    password: str = ""
    agreed: str = ""


class CodeForm(Form, frozen=True):
    """验证码登录."""

    phone: str = ""
    code: str = ""
    agreed: str = ""


class TailForm(Form, frozen=True):
    """The last characters of a document."""

    tail: str = ""


class AccountLoginSettings(Struct, frozen=True):
    """Where logins lead, on PCs and on phones, and the site they are for."""

    home: str
    phone_home: str
    client: str


class AccountLogin:
    """Handlers of the logins by a form."""

    def __init__(
        self,
        *,
        settings: AccountLoginSettings,
        desk: Desk,
        renderer: Renderer,
        login_pages: LoginPages,
        arrivals: Arrivals,
        form_views: FormViews,
        captchas: Captchas,
        passwords: PasswordLogin,
        codes: SmsLogin,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._settings = settings
        self._desk = desk
        self._renderer = renderer
        self._login_pages = login_pages
        self._arrivals = arrivals
        self._form_views = form_views
        self._captchas = captchas
        self._passwords = passwords
        self._codes = codes

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_post("/login", self.by_account)
        app.router.add_get("/h5/login", self.phone)
        app.router.add_post("/h5/login", self.phone_by_password)
        app.router.add_post("/h5/login/code", self.phone_by_code)
        app.router.add_get(TAIL, self.document)
        app.router.add_post(TAIL, self.check_document)

    # ------------------------------------------------------------------------------------------------------------ PC

    async def by_account(self, request: web.Request) -> web.Response:
        """Log in by name and password on the PC's page."""
        try:
            asker, form = await self._desk.read(request, PasswordForm)
        except StaleForm as stale:
            return await self._account_again(
                request, Posted(stale.form(PasswordForm), stale), secret=stale.asker.secret
            )
        _require_nobody(asker, "/login")
        if form.act == "captcha":
            return await self._account_again(request, Posted(form))
        try:
            return await self._enter(request, asker, form, _password_faults(form), self._settings.home)
        except _TOLD as error:
            return await self._account_again(request, Posted(form, error))

    async def _account_again(
        self, request: web.Request, posted: Posted[PasswordForm], secret: str | None = None
    ) -> web.Response:
        return await self._login_pages.show_account(request, {"account": posted.form.account}, posted, secret)

    # --------------------------------------------------------------------------------------------------------- phones

    async def phone(self, request: web.Request) -> web.Response:
        """Show the login page for phones; to a browser that is logged in, who it is logged in as."""
        asker = await self._desk.visit(request)
        if asker.owner is not None:
            return await self._login_pages.login(request)
        flow = request.query.get("flow", "")
        if request.query.get("tab") == "code":
            return await self._phone_again(request, asker, Posted(CodeForm(flow=flow)))
        return await self._phone_again(request, asker, Posted(PasswordForm(flow=flow)))

    async def phone_by_password(self, request: web.Request) -> web.Response:
        """密码登录."""
        try:
            asker, form = await self._desk.read(request, PasswordForm)
        except StaleForm as stale:
            return await self._phone_again(request, stale.asker, Posted(stale.form(PasswordForm), stale))
        _require_nobody(asker, "/h5/login")
        if form.act == "captcha":
            return await self._phone_again(request, asker, Posted(form))
        try:
            faults = [*_password_faults(form), *_agreement_faults(form.agreed)]
            return await self._enter(request, asker, form, faults, self._settings.phone_home)
        except _TOLD as error:
            return await self._phone_again(request, asker, Posted(form, error))

    async def phone_by_code(self, request: web.Request) -> web.Response:
        """验证码登录: send a code, or log in by it."""
        try:
            asker, form = await self._desk.read(request, CodeForm)
        except StaleForm as stale:
            # A code belongs to the browser record it was asked for in, which is over.
            posted = Posted(replace(stale.form(CodeForm), code=""), stale)
            return await self._phone_again(request, stale.asker, posted)
        _require_nobody(asker, CODE)
        try:
            match form.act:
                case "captcha":
                    return await self._phone_again(request, asker, Posted(form))
                case "code":
                    flow = await self._send(request, asker, form)
                    return await self._phone_again(request, asker, Posted(replace(form, code="", flow=flow)))
                case _:
                    return await self._check(request, asker, form)
        except (VerificationCodeWrong, VerificationCodeExpired) as used:
            return await self._phone_again(request, asker, Posted(replace(form, code=""), used))
        except _TOLD as error:
            # The code was not used, or what it proved is kept: the same form serves again.
            return await self._phone_again(request, asker, Posted(form, error))

    async def _send(self, request: web.Request, asker: Asker, form: CodeForm) -> str:
        faults, number = _phone_faults(form.phone), mobile_number(form.phone)
        if not form.captcha.strip():
            faults.append(FieldFault("captcha", "missing"))
        if number is None or faults:
            raise InvalidRequest(*faults)
        await self._captchas.use(asker.holder, form.captcha_id, form.captcha)
        known_as = self._arrivals.known_as(request)
        return await self._codes.send(asker.holder, form.flow, number, known_as=known_as, source=asker.source)

    async def _check(self, request: web.Request, asker: Asker, form: CodeForm) -> web.Response:
        faults, number = _phone_faults(form.phone), mobile_number(form.phone)
        if not form.code.strip():
            faults.append(FieldFault("code", "missing"))
        faults.extend(_agreement_faults(form.agreed))
        if number is None or faults:
            raise InvalidRequest(*faults)
        match await self._codes.check(asker.holder, form.flow, number, form.code):
            case NoSuchMember():
                return self._told(pages.NoAccountPage(phone=mask_phone(number.digits)))
            case AskTail(flow=waiting):
                return self._desk.lead(asker, f"{TAIL}?flow={waiting}")
            case Proved() as proved:
                return await self._let_in(request, asker, proved)

    async def _phone_again(
        self, request: web.Request, asker: Asker, posted: Posted[PasswordForm] | Posted[CodeForm]
    ) -> web.Response:
        """Show the page with what was typed, in front the way of logging in that it was typed for."""
        form = posted.form
        view = FormView(csrf=asker.csrf, values=_kept(form))
        draft = await self._codes.find(asker.holder, form.flow) if form.flow else None
        if draft is not None:
            view = with_code(replace(view, flow=draft.id), draft.facts.dispatch, draft.facts.again_at, draft.now)
        page = pages.PhoneLoginPage(
            tab="password" if isinstance(form, PasswordForm) else "code",
            client=self._settings.client,
            form=await self._form_views.fill(view, asker.holder, asker.source, posted),
        )
        return self._desk.answer(request, asker, page, because=posted.because)

    # ---------------------------------------------------------------------------------- a number that was long unused

    async def document(self, request: web.Request) -> web.Response:
        """Ask for the last characters of the document; without such a login under way, lead to its beginning."""
        asker = await self._desk.visit(request)
        flow = request.query.get("flow", "")
        try:
            number = await self._codes.asked(asker.holder, flow)
        except DraftUnknown:
            return self._desk.lead(asker, CODE)
        return self._document_again(request, asker, flow, number)

    async def check_document(self, request: web.Request) -> web.Response:
        """Log in if they are right; whoever has to begin again is told why."""
        try:
            asker, form = await self._desk.read(request, TailForm)
        except StaleForm as stale:
            # The login went with the browser record it was of.
            return await self._phone_again(request, stale.asker, Posted(CodeForm(), DraftUnknown()))
        _require_nobody(asker, CODE)
        try:
            number = await self._codes.asked(asker.holder, form.flow)
            return await self._check_tail(request, asker, form, number)
        except (DraftUnknown, TailSpent, AccountRefused) as over:
            return await self._phone_again(request, asker, Posted(CodeForm(), over))

    async def _check_tail(self, request: web.Request, asker: Asker, form: TailForm, number: str) -> web.Response:
        if not form.tail.strip():
            return self._document_again(request, asker, form.flow, number, fault="missing")
        try:
            found = await self._codes.check_tail(asker.holder, form.flow, form.tail, asker.source)
            if isinstance(found, Proved):
                return await self._let_in(request, asker, found)
        except Retryable as trouble:
            return self._document_again(request, asker, form.flow, number, because=trouble)
        return self._document_again(request, asker, form.flow, number, fault="wrong", tries_left=found)

    def _document_again(
        self,
        request: web.Request,
        asker: Asker,
        flow: str,
        number: str,
        *,
        fault: str | None = None,
        tries_left: int | None = None,
        because: BjidpError | None = None,
    ) -> web.Response:
        form = FormView(
            csrf=asker.csrf,
            flow=flow,
            faults={} if fault is None else {"tail": fault},
            note=because.code if because else None,
        )
        page = pages.DocumentTailPage(phone=mask_phone(number), form=form, tries_left=tries_left)
        return self._desk.answer(request, asker, page, because=because)

    # ----------------------------------------------------------------------------------------------------------- shared

    async def _enter(
        self, request: web.Request, asker: Asker, form: PasswordForm, faults: list[FieldFault], where: str
    ) -> web.Response:
        if faults:
            raise InvalidRequest(*faults)
        # Before the captcha is used, so that another one need not be read when there is room.
        self._passwords.require_room()
        await self._captchas.use(asker.holder, form.captcha_id, form.captcha)
        member = await self._passwords.check(
            form.account, form.password, known_as=self._arrivals.known_as(request), source=asker.source
        )
        return await self._arrivals.let_in(
            request,
            asker,
            member.standing.account,
            Way.PASSWORD,
            where=where,
            still_right=lambda: self._passwords.require_unchanged(member, form.password),
        )

    async def _let_in(self, request: web.Request, asker: Asker, proved: Proved) -> web.Response:
        return await self._arrivals.let_in(
            request,
            asker,
            proved.member.standing.account,
            Way.SMS,
            where=self._settings.phone_home,
            still_right=lambda: self._codes.require_unchanged(proved),
            entered=lambda session: self._codes.entered(asker.holder, proved, session),
        )

    def _told(self, page: pages.Page) -> web.Response:
        body = self._renderer.render(page)
        return web.Response(body=body, status=HTTPStatus.OK, content_type="text/html", charset="utf-8")


def _require_nobody(asker: Asker, where: str) -> None:
    """Lead to the page that says who is logged in: nobody becomes somebody else by a form (attack Q28)."""
    if asker.owner is not None:
        raise web.HTTPSeeOther(where)


def _kept(form: PasswordForm | CodeForm) -> dict[str, str]:
    """Return what the page shows again: never a password, and a code unless it was used."""
    names = ("account", "agreed") if isinstance(form, PasswordForm) else ("phone", "code", "agreed")
    return {name: getattr(form, name) for name in names}


def _password_faults(form: PasswordForm) -> list[FieldFault]:
    given = {"account": form.account.strip(), "password": form.password, "captcha": form.captcha.strip()}
    return [FieldFault(name, "missing") for name, value in given.items() if not value]


def _phone_faults(phone: str) -> list[FieldFault]:
    if not phone.strip():
        return [FieldFault("phone", "missing")]
    return [] if mobile_number(phone) is not None else [FieldFault("phone", "form")]


def _agreement_faults(agreed: str) -> list[FieldFault]:
    return [] if agreed == "yes" else [FieldFault("agreed", "required")]
