"""What 个人中心 changes after 验证身份: password, phone, mail, username, and the end of the account (ACC-2 to ACC-8).

Owns ``/centre/<setting>`` and ``/centre/<setting>/identity``, the same under ``/h5``. Every page asks what step is due:
a link leads past none, the back button shows what is there now, and whatever was done answers with a redirect.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final, cast

from aiohttp import web
from msgspec.structs import replace

from bjidp.accounts.drafts import Draft, DraftUnknown
from bjidp.accounts.errors import PhoneTaken, UsernameTaken
from bjidp.accounts.overview import overview
from bjidp.accounts.settings.cancelling import Cancelling
from bjidp.accounts.settings.changes import Changes, NotDue, Standing
from bjidp.accounts.settings.flow import Change, Sent, Step, Typed
from bjidp.accounts.settings.mails import Mails
from bjidp.accounts.settings.names import Names
from bjidp.accounts.settings.passwords import Passwords
from bjidp.accounts.settings.phones import Phones
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import SECOND
from bjidp.errors import BjidpError, FieldFault, InvalidRequest, Retryable
from bjidp.verification.captchas import Captchas
from bjidp.verification.errors import (
    CaptchaWrong,
    MailNotOffered,
    SmsNotOffered,
    VerificationCodeExpired,
    VerificationCodeWrong,
)
from bjidp.verification.proofs import Operation
from bjidp.web import pages
from bjidp.web.bodies import JSON
from bjidp.web.cookies import Cookies
from bjidp.web.departure import Departures
from bjidp.web.desk import Asker, Desk, FormPage
from bjidp.web.form_view import Form, FormView
from bjidp.web.own_pages import HOME, OwnPages, at, on_h5
from bjidp.web.rendering import Renderer

SETTINGS: Final = (Operation.PASSWORD, Operation.PHONE, Operation.MAIL, Operation.USERNAME, Operation.CANCEL)

BACK: Final = 7
"""Seconds after which the end of a change leads back (manual, 1.5.1). In a header: it is the same without a script."""

AGAIN: Final = 1
"""Seconds after which a page looks again whether a change is written."""

BESIDE: Final[dict[type[BjidpError], tuple[str, str]]] = {
    UsernameTaken: ("username", "taken"),
    CaptchaWrong: ("captcha", "wrong"),
    VerificationCodeWrong: ("code", "wrong"),
    VerificationCodeExpired: ("code", "expired"),
    PhoneTaken: ("phone", "anothers"),
}
"""Which field an error is told beside, and in which words."""


class SettingForm(Form, frozen=True):
    """The fields of every step."""

    code: str = ""
    old: str = ""
    password: str = ""
    again: str = ""
    phone: str = ""
    mail: str = ""
    username: str = ""

    @property
    def typed(self) -> Typed:
        """The form as the rules see it."""
        return Typed(
            captcha=self.captcha,
            captcha_id=self.captcha_id,
            code=self.code,
            old=self.old,
            password=self.password,
            again=self.again,
            phone=self.phone,
            mail=self.mail,
            username=self.username,
        )

    @property
    def kept(self) -> dict[str, str]:
        """What is shown again: never a password, and never what serves once."""
        return {"phone": self.phone, "mail": self.mail, "username": self.username}

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "SettingForm(***)"


class SettingsPages:
    """Handlers of the settings."""

    def __init__(
        self,
        *,
        own: OwnPages,
        desk: Desk,
        cookies: Cookies,
        renderer: Renderer,
        captchas: Captchas,
        verifying: Verifying,
        changes: Changes,
        passwords: Passwords,
        phones: Phones,
        mails: Mails,
        names: Names,
        cancelling: Cancelling,
        departures: Departures,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._own = own
        self._desk = desk
        self._cookies = cookies
        self._renderer = renderer
        self._captchas = captchas
        self._verifying = verifying
        self._changes = changes
        self._passwords = passwords
        self._phones = phones
        self._mails = mails
        self._names = names
        self._cancelling = cancelling
        self._departures = departures

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for prefix in ("", "/h5"):
            for operation in SETTINGS:
                path = f"{prefix}{HOME}/{operation}"
                app.router.add_get(path, self.show)
                app.router.add_post(path, self.change)
                app.router.add_get(f"{path}/identity", self.show)
                app.router.add_post(f"{path}/identity", self.prove)

    async def show(self, request: web.Request) -> web.Response:
        """Show the step that is due."""
        asker, visit = await self._own.visited(request)
        operation = _operation(request)
        standing = await self._changes.look(visit, operation, request.query.get("flow"))
        match standing.step:
            case Step.DONE:
                return self._ended(request, operation, standing)
            case Step.SAVING:
                return self._ended(request, operation, standing)
            case _:
                return self._desk.answer(request, asker, await self._page(request, asker, visit, standing))

    async def prove(self, request: web.Request) -> web.Response:
        """验证身份: send a code, show another picture, or check the code: what was pressed says which."""
        asker, visit, form = await self._own.posted(request, SettingForm)
        operation = _operation(request)
        try:
            match form.act:
                case "code":
                    flow = await self._changes.send_identity_code(visit, operation, form.flow, form.typed)
                    return await self._sent(request, asker, visit, flow)
                case "captcha":
                    return await self._again(request, asker, visit, form, None, Step.VERIFY)
                case "":
                    return await self._proved(request, asker, visit, form)
                case _:
                    raise InvalidRequest(FieldFault("act", "unknown"))
        except NotDue as elsewhere:
            return self._lead(request, asker, elsewhere.flow)
        except BjidpError as error:
            return await self._again(request, asker, visit, form, error, Step.VERIFY)

    async def change(self, request: web.Request) -> web.Response:
        """Do what the setting is for."""
        asker, visit, form = await self._own.posted(request, SettingForm)
        try:
            if _operation(request) is Operation.CANCEL:
                return await self._cancel(request, asker, visit, form)
            match form.act:
                case "":
                    return self._lead(request, asker, await self._write(request, visit, form))
                case "code":
                    return await self._sent(request, asker, visit, await self._send(request, visit, form))
                case "other":
                    flow = await self._changes.forget_address(visit, _operation(request), form.flow)
                    return self._lead(request, asker, flow)
                case "captcha":
                    return await self._again(request, asker, visit, form, None, Step.CHANGE)
                case _:
                    raise InvalidRequest(FieldFault("act", "unknown"))
        except NotDue as elsewhere:
            return self._lead(request, asker, elsewhere.flow)
        except DraftUnknown:
            return self._lead(request, asker, None)
        except BjidpError as error:
            return await self._again(request, asker, visit, form, error, Step.CHANGE)

    async def _write(self, request: web.Request, visit: Visit, form: SettingForm) -> str:
        match _operation(request):
            case Operation.PASSWORD:
                return await self._passwords.change(visit, form.flow, form.typed)
            case Operation.PHONE:
                return await self._phones.change(visit, form.flow, form.typed)
            case Operation.MAIL:
                return await self._mails.change(visit, form.flow, form.typed)
            case Operation.USERNAME:
                return await self._names.change_username(visit, form.flow, form.typed)
            case _:
                raise InvalidRequest(FieldFault("act", "unknown"))

    async def _send(self, request: web.Request, visit: Visit, form: SettingForm) -> str:
        match _operation(request):
            case Operation.PHONE:
                return await self._phones.send_code(visit, form.flow, form.typed)
            case Operation.MAIL:
                return await self._mails.send_code(visit, form.flow, form.typed)
            case _:
                raise InvalidRequest(FieldFault("act", "unknown"))

    async def _proved(self, request: web.Request, asker: Asker, visit: Visit, form: SettingForm) -> web.Response:
        operation = _operation(request)
        proved = await self._changes.prove_identity(visit, operation, form.flow, form.typed)
        if operation is Operation.CANCEL:
            # Whatever keeps the account from ending now must not keep the new cookie from the browser.
            with suppress(BjidpError, NotDue):
                await self._cancelling.cancel(visit, proved.flow)
                return await self._departures.farewell(request, pages.Message.CANCELLED)
        response = self._lead(request, asker, proved.flow)
        if proved.cookie is not None:
            self._cookies.set_session(response, proved.cookie)
        return response

    async def _cancel(self, request: web.Request, asker: Asker, visit: Visit, form: SettingForm) -> web.Response:
        standing = await self._changes.look(visit, Operation.CANCEL, form.flow)
        flow = None if standing.draft is None else standing.draft.id
        if flow is None:
            flow = await self._changes.agree(visit, Operation.CANCEL)
            if not await self._verifying.held(visit, Operation.CANCEL):
                return self._lead(request, asker, flow)
        await self._cancelling.cancel(visit, flow)
        return await self._departures.farewell(request, pages.Message.CANCELLED)

    async def _sent(self, request: web.Request, asker: Asker, visit: Visit, flow: str) -> web.Response:
        if JSON not in request.headers.get("Accept", ""):
            return self._lead(request, asker, flow)
        standing = await self._changes.look(visit, _operation(request), flow)
        return self._desk.answer(request, asker, await self._page(request, asker, visit, standing))

    async def _again(
        self,
        request: web.Request,
        asker: Asker,
        visit: Visit,
        form: SettingForm,
        error: BjidpError | None,
        step: Step,
    ) -> web.Response:
        """Show the form with what was typed, and what is wrong with it; lead on when another step is due by now."""
        faults = _faults(error)
        if error is not None and not faults and not isinstance(error, Retryable | SmsNotOffered | MailNotOffered):
            raise error
        standing = await self._changes.look(visit, _operation(request), form.flow)
        if standing.step is not step:
            return self._lead(request, asker, None if standing.draft is None else standing.draft.id)
        page = await self._page(request, asker, visit, standing, form=form, error=error, faults=faults)
        return self._desk.answer(request, asker, page, because=None if faults else error)

    async def _page(
        self,
        request: web.Request,
        asker: Asker,
        visit: Visit,
        standing: Standing,
        *,
        form: SettingForm | None = None,
        error: BjidpError | None = None,
        faults: dict[str, str] | None = None,
    ) -> FormPage:
        operation, h5 = _operation(request), on_h5(request)
        setting = cast("pages.Setting", operation.value)
        account = overview(await self._verifying.member(visit))
        facts = None if standing.draft is None else standing.draft.facts
        view = FormView(csrf=asker.csrf, flow="" if standing.draft is None else standing.draft.id)
        if operation is Operation.CANCEL and standing.step is not Step.VERIFY:
            proved = await self._verifying.held(visit, operation)
            return pages.CancelPage(h5=h5, proved=proved, form=view)
        if standing.step is Step.VERIFY:
            expired = facts is not None and facts.identity_proved and error is None
            view = replace(view, note="verification_required" if expired else None)
            view = _with_code(view, standing.draft, None if facts is None else facts.identity_code)
        else:
            address = "" if facts is None else (facts.address or (facts.address_code.to if facts.address_code else ""))
            view = replace(view, values={"phone": address, "mail": address})
            view = _with_code(view, standing.draft, None if facts is None else facts.address_code)
        view = await self._corrected(asker, view, form, error, faults or {})
        former = {
            Operation.PASSWORD: "yes" if account.has_password else None,
            Operation.PHONE: account.phone,
            Operation.MAIL: account.mail,
            Operation.USERNAME: account.username,
        }.get(operation)
        if standing.step is Step.VERIFY:
            first = operation in {Operation.PASSWORD, Operation.PHONE} and former is None
            return pages.IdentityPage(h5=h5, setting=setting, phone=account.phone, form=view, first=first)
        proved = facts is not None and facts.address is not None
        return pages.SettingPage(h5=h5, setting=setting, former=former, form=view, proved=proved)

    async def _corrected(
        self,
        asker: Asker,
        view: FormView,
        form: SettingForm | None,
        error: BjidpError | None,
        faults: dict[str, str],
    ) -> FormView:
        """Return the form with a captcha, and with what was typed and what is wrong."""
        if form is not None:
            view = replace(view, values=view.values | {name: value for name, value in form.kept.items() if value})
            note = view.note if faults or error is None else error.code
            view = replace(view, faults=faults, note=note)
            if isinstance(error, InvalidRequest) and await self._captchas.picture(asker.holder, form.captcha_id):
                # It was not used, so it need not be read again.
                return replace(view, captcha=form.captcha_id, values=view.values | {"captcha": form.captcha})
        return replace(view, captcha=await self._captchas.show(asker.holder, asker.source))

    def _ended(self, request: web.Request, operation: Operation, standing: Standing) -> web.Response:
        saving = standing.step is Step.SAVING
        setting = cast("pages.Setting", operation.value)
        page = pages.SettingDonePage(h5=on_h5(request), setting=setting, saving=saving)
        response = web.Response(body=self._renderer.render(page), content_type="text/html", charset="utf-8")
        seconds, where = (AGAIN, request.rel_url.raw_path_qs) if saving else (BACK, at(request, HOME))
        response.headers["Refresh"] = f"{seconds}; url={where}"
        return response

    def _lead(self, request: web.Request, asker: Asker, flow: str | None) -> web.Response:
        where = at(request, f"{HOME}/{_operation(request)}")
        return self._desk.lead(asker, where if flow is None else f"{where}?flow={flow}")


def _operation(request: web.Request) -> Operation:
    return Operation(request.path.removesuffix("/identity").rpartition("/")[2])


def _with_code(view: FormView, draft: Draft[Change] | None, sent: Sent | None) -> FormView:
    if draft is None or sent is None:
        return view
    wait = max(0, -(-(sent.again_at - draft.now) // SECOND))
    return replace(view, dispatch=sent.dispatch, wait=wait)


def _faults(error: BjidpError | None) -> dict[str, str]:
    if isinstance(error, InvalidRequest):
        return {fault.field: fault.code for fault in reversed(error.errors) if fault.field != "act"}
    beside = None if error is None else BESIDE.get(type(error))
    return {} if beside is None else dict([beside])
