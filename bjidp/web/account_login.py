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
from bjidp.clock import SECOND
from bjidp.errors import AccountRefused, BjidpError, InvalidRequest, Retryable, TooBusy
from bjidp.sessions.ports import Way
from bjidp.verification.captchas import Captchas
from bjidp.verification.errors import CaptchaWrong, SmsNotOffered, VerificationCodeExpired, VerificationCodeWrong
from bjidp.verification.number import mobile_number
from bjidp.web import pages
from bjidp.web.arrival import Arrivals
from bjidp.web.desk import Asker, Desk, StaleForm
from bjidp.web.form_view import Form, FormView
from bjidp.web.login import LoginPages
from bjidp.web.rendering import Renderer

CODE: Final = "/h5/login?tab=code"
TAIL: Final = "/h5/login/document"

_REFUSALS = (CredentialsWrong, AccountRefused, Retryable, SmsNotOffered)
"""What is said above the form, with what was typed kept."""


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
                request, stale.form(PasswordForm), because=stale, secret=stale.asker.secret
            )
        _require_nobody(asker, "/login")
        if form.act == "captcha":
            return await self._account_again(request, form)
        faults = _password_faults(form)
        if faults:
            return await self._account_again(request, form, faults=faults, captcha=await self._alive(asker, form))
        try:
            self._passwords.require_room()
        except TooBusy as busy:
            # The captcha was not used, so it need not be read again, nor another one drawn.
            return await self._account_again(request, form, captcha=await self._alive(asker, form), because=busy)
        try:
            return await self._enter(request, asker, form, self._settings.home)
        except CaptchaWrong:
            return await self._account_again(request, form, faults={"captcha": "wrong"})
        except _REFUSALS as refusal:
            return await self._account_again(request, form, because=refusal)

    async def _account_again(
        self,
        request: web.Request,
        form: PasswordForm,
        *,
        faults: dict[str, str] | None = None,
        captcha: str = "",
        because: BjidpError | None = None,
        secret: str | None = None,
    ) -> web.Response:
        values = {"account": form.account} | ({"captcha": form.captcha} if captcha else {})
        view = FormView(
            csrf="", values=values, faults=faults or {}, note=because.code if because else None, captcha=captcha
        )
        return await self._login_pages.show_account(request, view, because, secret)

    # --------------------------------------------------------------------------------------------------------- phones

    async def phone(self, request: web.Request) -> web.Response:
        """Show the login page for phones; to a browser that is logged in, who it is logged in as."""
        asker = await self._desk.visit(request)
        if asker.owner is not None:
            return await self._login_pages.login(request)
        tab: pages.PhoneTab = "code" if request.query.get("tab") == "code" else "password"
        return await self._phone_again(request, asker, tab, {}, flow=request.query.get("flow", ""))

    async def phone_by_password(self, request: web.Request) -> web.Response:
        """密码登录."""
        try:
            asker, form = await self._desk.read(request, PasswordForm)
        except StaleForm as stale:
            values = _kept(stale.form(PasswordForm))
            return await self._phone_again(request, stale.asker, "password", values, because=stale)
        _require_nobody(asker, "/h5/login")
        values = _kept(form)
        if form.act == "captcha":
            return await self._phone_again(request, asker, "password", values)
        faults = _password_faults(form) | _agreement_faults(form.agreed)
        if faults:
            return await self._phone_again(request, asker, "password", values, faults=faults, unused=form)
        try:
            self._passwords.require_room()
        except TooBusy as busy:
            return await self._phone_again(request, asker, "password", values, unused=form, because=busy)
        try:
            return await self._enter(request, asker, form, self._settings.phone_home)
        except CaptchaWrong:
            return await self._phone_again(request, asker, "password", values, faults={"captcha": "wrong"})
        except _REFUSALS as refusal:
            return await self._phone_again(request, asker, "password", values, because=refusal)

    async def phone_by_code(self, request: web.Request) -> web.Response:
        """验证码登录: send a code, or log in by it."""
        try:
            asker, form = await self._desk.read(request, CodeForm)
        except StaleForm as stale:
            # A code belongs to the browser record it was asked for in, which is over.
            values = _kept(stale.form(CodeForm)) | {"code": ""}
            return await self._phone_again(request, stale.asker, "code", values, because=stale)
        _require_nobody(asker, CODE)
        match form.act:
            case "captcha":
                return await self._phone_again(request, asker, "code", _kept(form), flow=form.flow)
            case "code":
                return await self._send(request, asker, form)
            case _:
                return await self._check(request, asker, form)

    async def _send(self, request: web.Request, asker: Asker, form: CodeForm) -> web.Response:
        values, flow = _kept(form), form.flow
        number, faults = mobile_number(form.phone), _phone_faults(form.phone)
        if not form.captcha.strip():
            faults["captcha"] = "missing"
        if number is None or faults:
            return await self._phone_again(request, asker, "code", values, flow=flow, faults=faults, unused=form)
        try:
            await self._captchas.use(asker.holder, form.captcha_id, form.captcha)
            known_as = self._arrivals.known_as(request)
            flow = await self._codes.send(asker.holder, flow, number, known_as=known_as, source=asker.source)
        except CaptchaWrong:
            return await self._phone_again(request, asker, "code", values, flow=flow, faults={"captcha": "wrong"})
        except InvalidRequest as fault:
            faults = {error.field: error.code for error in fault.errors}
            return await self._phone_again(request, asker, "code", values, flow=flow, faults=faults)
        except _REFUSALS as refusal:
            return await self._phone_again(request, asker, "code", values, flow=flow, because=refusal)
        return await self._phone_again(request, asker, "code", values | {"code": ""}, flow=flow)

    async def _check(self, request: web.Request, asker: Asker, form: CodeForm) -> web.Response:
        values, flow = _kept(form), form.flow
        number, faults = mobile_number(form.phone), _phone_faults(form.phone)
        if not form.code.strip():
            faults["code"] = "missing"
        faults |= _agreement_faults(form.agreed)
        if number is None or faults:
            return await self._phone_again(request, asker, "code", values, flow=flow, faults=faults)
        spent = values | {"code": ""}
        try:
            found = await self._codes.check(asker.holder, flow, number, form.code)
            match found:
                case NoSuchMember():
                    return self._told(pages.NoAccountPage(phone=mask_phone(number.digits)))
                case AskTail(flow=waiting):
                    return self._desk.lead(asker, f"{TAIL}?flow={waiting}")
                case Proved():
                    return await self._let_in(request, asker, found)
        except VerificationCodeWrong:
            return await self._phone_again(request, asker, "code", spent, flow=flow, faults={"code": "wrong"})
        except VerificationCodeExpired:
            return await self._phone_again(request, asker, "code", spent, flow=flow, faults={"code": "expired"})
        except _REFUSALS as refusal:
            # The code was not used, or what it proved is kept: the same form serves again.
            return await self._phone_again(request, asker, "code", values, flow=flow, because=refusal)

    async def _phone_again(
        self,
        request: web.Request,
        asker: Asker,
        tab: pages.PhoneTab,
        values: dict[str, str],
        *,
        flow: str = "",
        faults: dict[str, str] | None = None,
        unused: Form | None = None,
        because: BjidpError | None = None,
    ) -> web.Response:
        """Show the page; with the captcha of the form ``unused``, which was not looked at, if it still lives."""
        captcha = "" if unused is None else await self._alive(asker, unused)
        if unused is not None and captcha:
            values = values | {"captcha": unused.captcha}
        form = FormView(
            csrf=asker.csrf,
            values=values,
            faults=faults or {},
            note=because.code if because else None,
            captcha=captcha or await self._captchas.show(asker.holder, asker.source),
        )
        draft = await self._codes.find(asker.holder, flow) if flow else None
        if draft is not None:
            wait = max(0, -(-(draft.facts.again_at - draft.now) // SECOND))
            form = replace(form, flow=draft.id, dispatch=draft.facts.dispatch, wait=wait)
        page = pages.PhoneLoginPage(tab=tab, client=self._settings.client, form=form)
        return self._desk.answer(request, asker, page, because=because)

    async def _alive(self, asker: Asker, form: Form) -> str:
        """Return the captcha of a form if it can be answered still, else nothing."""
        picture = await self._captchas.picture(asker.holder, form.captcha_id)
        return "" if picture is None else form.captcha_id

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
            return await self._phone_again(request, stale.asker, "code", {}, because=DraftUnknown())
        _require_nobody(asker, CODE)
        try:
            number = await self._codes.asked(asker.holder, form.flow)
            return await self._check_tail(request, asker, form, number)
        except (DraftUnknown, TailSpent, AccountRefused) as over:
            return await self._phone_again(request, asker, "code", {}, because=over)

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

    async def _enter(self, request: web.Request, asker: Asker, form: PasswordForm, where: str) -> web.Response:
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


def _password_faults(form: PasswordForm) -> dict[str, str]:
    given = {"account": form.account.strip(), "password": form.password, "captcha": form.captcha.strip()}
    return {name: "missing" for name, value in given.items() if not value}


def _phone_faults(phone: str) -> dict[str, str]:
    if not phone.strip():
        return {"phone": "missing"}
    return {} if mobile_number(phone) is not None else {"phone": "form"}


def _agreement_faults(agreed: str) -> dict[str, str]:
    return {} if agreed == "yes" else {"agreed": "required"}
