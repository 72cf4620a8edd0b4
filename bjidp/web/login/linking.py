"""Whoever came from a provider and is not known: 绑定已有账号 by a code to the phone, or 注册 (LOG-4).

Owns ``/login/third/link`` and the same under ``/h5``. What was found at the provider lies with the server; the pages
carry its name, which is good in this browser alone.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from msgspec.structs import replace

from bjidp.accounts import fields
from bjidp.accounts.errors import ExternalLoginOver
from bjidp.accounts.external.linking import Linking, Newcomer
from bjidp.accounts.login.flow import AskTail, NoSuchMember, Proved
from bjidp.accounts.login.sms import SmsLogin
from bjidp.accounts.registration.flow import Begun
from bjidp.accounts.registration.service import Registrations
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.sessions.ports import Way
from bjidp.verification.errors import VerificationCodeExpired, VerificationCodeWrong
from bjidp.verification.number import MobileNumber, mobile_number
from bjidp.web.forms.arrival import Arrivals
from bjidp.web.forms.desk import Asker, Desk, StaleForm
from bjidp.web.forms.form_again import FormViews, Posted
from bjidp.web.forms.login_first import is_own
from bjidp.web.http.visitor import at, on_h5
from bjidp.web.login.external import LINK, Troubles
from bjidp.web.login.forms import TOLD, require_nobody
from bjidp.web.pages.external import LinkingPage
from bjidp.web.pages.form_view import Form, FormView, with_code

TAIL: Final = f"{LINK}/document"


class LinkForm(Form, frozen=True):
    """The number of the account, and the code that was sent there; or that a new account is wanted."""

    of: str = ""
    phone: str = ""
    code: str = ""

    @property
    def kept(self) -> dict[str, str]:
        """What is shown again: a code is left out by whoever has used it."""
        return {"phone": self.phone, "code": self.code}

    def number(self, *others: FieldFault) -> MobileNumber:
        """Return the number; raise ``InvalidRequest`` with what is wrong with it, and with ``others``."""
        number, faults = mobile_number(self.phone), [*fields.phone_faults(self.phone), *others]
        if number is None or faults:
            raise InvalidRequest(*faults)
        return number

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "LinkForm(***)"


class LinkingPages:
    """Handlers of the pages."""

    def __init__(
        self,
        *,
        home: str,
        desk: Desk,
        form_views: FormViews,
        arrivals: Arrivals,
        linking: Linking,
        codes: SmsLogin,
        registrations: Registrations,
        troubles: Troubles,
    ) -> None:
        """Take every dependency; ``codes`` are those of this purpose alone."""
        self._home = home
        self._desk = desk
        self._form_views = form_views
        self._arrivals = arrivals
        self._linking = linking
        self._codes = codes
        self._registrations = registrations
        self._troubles = troubles

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for prefix in ("", "/h5"):
            app.router.add_get(f"{prefix}{LINK}", self.page)
            app.router.add_post(f"{prefix}{LINK}", self.post)

    async def page(self, request: web.Request) -> web.Response:
        """Ask which account is theirs."""
        asker = await self._desk.visit(request)
        require_nobody(asker, at(request, "/login"))
        form = LinkForm(of=request.query.get("of", ""), flow=request.query.get("flow", ""))
        try:
            newcomer = await self._linking.find(asker.holder, form.of)
        except ExternalLoginOver:
            return self._desk.lead(asker, at(request, "/login"))
        return await self.again(request, asker, newcomer, Posted(form))

    async def post(self, request: web.Request) -> web.Response:
        """Send a code, show another picture, bind, or lead to the registration: what was pressed says which."""
        try:
            asker, form = await self._desk.read(request, LinkForm)
        except StaleForm as stale:
            # What was found went with the browser record it was found in.
            return self._desk.lead(stale.asker, at(request, "/login"))
        require_nobody(asker, at(request, "/login"))
        try:
            newcomer = await self._linking.find(asker.holder, form.of)
        except ExternalLoginOver:
            return self._desk.lead(asker, at(request, "/login"))
        if form.wants_captcha:
            return await self.again(request, asker, newcomer, Posted(form))
        try:
            match form.act:
                case "":
                    return await self._check(request, asker, newcomer, form)
                case "code":
                    flow = await self._send(request, asker, form)
                    return await self.again(request, asker, newcomer, Posted(replace(form, code="", flow=flow)))
                case "register":
                    return await self._register(request, asker, newcomer)
                case _:
                    raise InvalidRequest(FieldFault("act", "unknown"))
        except (VerificationCodeWrong, VerificationCodeExpired) as used:
            return await self.again(request, asker, newcomer, Posted(replace(form, code=""), used))
        except TOLD as error:
            return await self.again(request, asker, newcomer, Posted(form, error))
        except ExternalLoginOver as over:
            return self._troubles.page(request, newcomer.provider, over)

    async def _send(self, request: web.Request, asker: Asker, form: LinkForm) -> str:
        number = form.number(*fields.captcha_faults(form.captcha))
        return await self._codes.send(
            asker.holder,
            form.flow,
            number,
            captcha_id=form.captcha_id,
            captcha=form.captcha,
            known_as=self._arrivals.known_as(request),
            source=asker.source,
        )

    async def _check(self, request: web.Request, asker: Asker, newcomer: Newcomer, form: LinkForm) -> web.Response:
        number = form.number(*fields.code_faults(form.code))
        match await self._codes.check(asker.holder, form.flow, number, form.code):
            case NoSuchMember():
                return await self.again(request, asker, newcomer, Posted(replace(form, code="")), nobody=True)
            case AskTail(flow=waiting):
                return self._desk.lead(asker, f"{at(request, TAIL)}?of={form.of}&flow={waiting}")
            case Proved() as proved:
                return await self.bind(request, asker, newcomer, proved)

    async def bind(self, request: web.Request, asker: Asker, newcomer: Newcomer, proved: Proved) -> web.Response:
        """Link, and log in by the code, which is what has proved the account."""
        await self._linking.link(newcomer, proved)
        return await self._arrivals.let_in(
            request,
            asker,
            proved.member.standing,
            Way.SMS,
            where=newcomer.next,
            still_right=lambda: self._codes.require_unchanged(proved),
            entered=lambda session: self._codes.entered(asker.holder, proved, session),
        )

    async def _register(self, request: web.Request, asker: Asker, newcomer: Newcomer) -> web.Response:
        begun = Begun(
            next=self._home if is_own(newcomer.next) else newcomer.next,
            client=newcomer.client,
            external=newcomer.identity,
        )
        flow = await self._registrations.begin(asker.holder, begun)
        return self._desk.lead(asker, f"{at(request, '/register')}?flow={flow}")

    async def again(
        self, request: web.Request, asker: Asker, newcomer: Newcomer, posted: Posted[LinkForm], *, nobody: bool = False
    ) -> web.Response:
        """Show the page with what was typed; ``nobody`` has the number that was proved."""
        form = posted.form
        view = FormView(csrf=asker.csrf, values=form.kept)
        draft = await self._codes.find(asker.holder, form.flow)
        if draft is not None:
            view = with_code(replace(view, flow=draft.id), draft.facts.dispatch, draft.facts.again_at, draft.now)
        page = LinkingPage(
            h5=on_h5(request),
            provider=newcomer.provider,
            of=form.of,
            form=await self._form_views.fill(view, asker.holder, asker.source, posted),
            nobody=nobody,
        )
        return self._desk.answer(request, asker, page, because=posted.because)
