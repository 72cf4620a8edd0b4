"""Logging in by a code to the phone: 验证码登录 (LOG-6).

Owns ``POST /h5/login/code``. A code is asked for with a captcha, so it is checked without one.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web
from msgspec.structs import replace

from bjidp.accounts import fields
from bjidp.accounts.login.flow import AskTail, NoSuchMember, Proved
from bjidp.accounts.login.sms import SmsLogin
from bjidp.accounts.masks import mask_phone
from bjidp.sessions.ports import Way
from bjidp.verification.errors import VerificationCodeExpired, VerificationCodeWrong
from bjidp.web.forms.arrival import Arrivals
from bjidp.web.forms.desk import Asker, Desk, StaleForm
from bjidp.web.forms.form_again import Posted
from bjidp.web.forms.login_first import LoginFirst
from bjidp.web.login.forms import TOLD, CodeForm, require_nobody
from bjidp.web.login.phone import PhoneLogin
from bjidp.web.pages.login import NoAccountPage
from bjidp.web.pages.rendering import Renderer

CODE: Final = "/h5/login?tab=code"
TAIL: Final = "/h5/login/document"


class CodeLoginPages:
    """Handler of the login by a code, and the way in for whoever has proved a number."""

    def __init__(
        self,
        *,
        home: str,
        desk: Desk,
        renderer: Renderer,
        phone_login: PhoneLogin,
        arrivals: Arrivals,
        codes: SmsLogin,
        login_first: LoginFirst,
    ) -> None:
        """Take every dependency; logins lead to ``home``, if nobody was turned away from elsewhere."""
        self._login_first = login_first
        self._home = home
        self._desk = desk
        self._renderer = renderer
        self._phone_login = phone_login
        self._arrivals = arrivals
        self._codes = codes

    def mount(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_post("/h5/login/code", self.post)

    async def post(self, request: web.Request) -> web.Response:
        """Send a code, show another picture, or log in: what was pressed says which."""
        try:
            asker, form = await self._desk.read(request, CodeForm)
        except StaleForm as stale:
            # A code belongs to the browser record it was asked for in, which is over.
            posted = Posted(replace(stale.form(CodeForm), code=""), stale)
            return await self._phone_login.again(request, stale.asker, posted)
        require_nobody(asker, CODE)
        if form.wants_captcha:
            return await self._phone_login.again(request, asker, Posted(form))
        try:
            if form.act == "code":
                flow = await self._send(request, asker, form)
                return await self._phone_login.again(request, asker, Posted(replace(form, code="", flow=flow)))
            return await self._check(request, asker, form)
        except (VerificationCodeWrong, VerificationCodeExpired) as used:
            return await self._phone_login.again(request, asker, Posted(replace(form, code=""), used))
        except TOLD as error:
            # The code was not used, or what it proved is kept: the same form serves again.
            return await self._phone_login.again(request, asker, Posted(form, error))

    async def let_in(self, request: web.Request, asker: Asker, proved: Proved) -> web.Response:
        """Open a session for whoever has proved the number of an account; raise what ends the login."""
        return await self._arrivals.let_in(
            request,
            asker,
            proved.member.standing,
            Way.SMS,
            where=await self._login_first.onward(request, asker, self._home),
            still_right=lambda: self._codes.require_unchanged(proved),
            entered=lambda session: self._codes.entered(asker.holder, proved, session),
        )

    async def _send(self, request: web.Request, asker: Asker, form: CodeForm) -> str:
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

    async def _check(self, request: web.Request, asker: Asker, form: CodeForm) -> web.Response:
        number = form.number(*fields.code_faults(form.code), *fields.agreement_faults(agreed=form.agreed == "yes"))
        match await self._codes.check(asker.holder, form.flow, number, form.code):
            case NoSuchMember():
                body = self._renderer.render(NoAccountPage(phone=mask_phone(number.digits)))
                return web.Response(body=body, status=HTTPStatus.OK, content_type="text/html", charset="utf-8")
            case AskTail(flow=waiting):
                return self._desk.lead(asker, f"{TAIL}?flow={waiting}")
            case Proved() as proved:
                return await self.let_in(request, asker, proved)
