"""Logging in by a name and a password: 账号登录 on the PC's login page, 密码登录 on phones (LOG-3, LOG-5).

Owns ``POST /login`` and ``POST /h5/login``. A captcha is used up before a name is looked at.
"""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct

from bjidp.accounts import fields
from bjidp.accounts.login.password import PasswordLogin, Trier
from bjidp.errors import FieldFault
from bjidp.sessions.ports import Way
from bjidp.verification.captchas import Captchas
from bjidp.web.forms.arrival import Arrivals
from bjidp.web.forms.desk import Asker, Desk, StaleForm
from bjidp.web.forms.form_again import Posted
from bjidp.web.forms.login_first import LoginFirst
from bjidp.web.login.forms import TOLD, PasswordForm, require_nobody
from bjidp.web.login.opening import LoginPages
from bjidp.web.login.phone import PhoneLogin


class Homes(Struct, frozen=True):
    """Where logins lead, on PCs and on phones."""

    pc: str
    phone: str


class PasswordLoginPages:
    """Handlers of the logins by a password."""

    def __init__(
        self,
        *,
        homes: Homes,
        desk: Desk,
        login_pages: LoginPages,
        phone_login: PhoneLogin,
        arrivals: Arrivals,
        captchas: Captchas,
        passwords: PasswordLogin,
        login_first: LoginFirst,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._login_first = login_first
        self._homes = homes
        self._desk = desk
        self._login_pages = login_pages
        self._phone_login = phone_login
        self._arrivals = arrivals
        self._captchas = captchas
        self._passwords = passwords

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_post("/login", self.on_pc)
        app.router.add_post("/h5/login", self.on_phone)

    async def on_pc(self, request: web.Request) -> web.Response:
        """账号登录."""
        try:
            asker, form = await self._desk.read(request, PasswordForm)
        except StaleForm as stale:
            return await self._pc_again(request, Posted(stale.form(PasswordForm), stale), stale.asker.secret)
        require_nobody(asker, "/login")
        if form.wants_captcha:
            return await self._pc_again(request, Posted(form))
        try:
            return await self._enter(request, asker, form, form.faults, self._homes.pc)
        except TOLD as error:
            return await self._pc_again(request, Posted(form, error))

    async def on_phone(self, request: web.Request) -> web.Response:
        """密码登录."""
        try:
            asker, form = await self._desk.read(request, PasswordForm)
        except StaleForm as stale:
            return await self._phone_login.again(request, stale.asker, Posted(stale.form(PasswordForm), stale))
        require_nobody(asker, "/h5/login")
        if form.wants_captcha:
            return await self._phone_login.again(request, asker, Posted(form))
        try:
            faults = [*form.faults, *fields.agreement_faults(agreed=form.agreed == "yes")]
            return await self._enter(request, asker, form, faults, self._homes.phone)
        except TOLD as error:
            return await self._phone_login.again(request, asker, Posted(form, error))

    async def _pc_again(
        self, request: web.Request, posted: Posted[PasswordForm], secret: str | None = None
    ) -> web.Response:
        return await self._login_pages.show_account(request, {"account": posted.form.account}, posted, secret)

    async def _enter(
        self, request: web.Request, asker: Asker, form: PasswordForm, faults: list[FieldFault], home: str
    ) -> web.Response:
        fields.require_none(faults)
        where = await self._login_first.onward(request, asker, home)
        # Before the captcha is used, so that another one need not be read when there is room.
        self._passwords.require_room()
        await self._captchas.use(asker.holder, form.captcha_id, form.captcha)
        computer = asker.visitor.computer
        trier = Trier(
            source=asker.source,
            browser=computer.browser,
            os=computer.os,
            known_as=self._arrivals.known_as(request),
        )
        member = await self._passwords.check(form.account, form.password, trier)
        return await self._arrivals.let_in(
            request,
            asker,
            member.standing,
            Way.PASSWORD,
            where=where,
            still_right=lambda: self._passwords.require_unchanged(member, form.password),
        )
