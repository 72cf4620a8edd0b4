"""The login page for phones, with its two ways: 密码登录 and 验证码登录 (LOG-5, LOG-6).

Owns ``GET /h5/login`` and how that page is shown again, for :mod:`bjidp.web.login.password` and
:mod:`bjidp.web.login.code`, which take what is posted there.
"""

from __future__ import annotations

from aiohttp import web
from msgspec.structs import replace

from bjidp.accounts.login.sms import SmsLogin
from bjidp.qrlogin.flow import Purposeful
from bjidp.web.forms.desk import Asker, Desk
from bjidp.web.forms.form_again import FormViews, Posted
from bjidp.web.forms.login_first import LoginFirst, leads
from bjidp.web.login.forms import CodeForm, PasswordForm
from bjidp.web.login.opening import LoginPages
from bjidp.web.pages.form_view import FormView, with_code
from bjidp.web.pages.login import Away, PhoneLoginPage


class PhoneLogin:
    """Handler of the page, and what shows it again."""

    def __init__(
        self,
        *,
        client: str,
        home: str,
        desk: Desk,
        login_pages: LoginPages,
        form_views: FormViews,
        codes: SmsLogin,
        login_first: LoginFirst,
    ) -> None:
        """Take every dependency; logins are for ``client`` where no site asked, and lead to ``home``."""
        self._home = home
        self._login_first = login_first
        self._client = client
        self._desk = desk
        self._login_pages = login_pages
        self._form_views = form_views
        self._codes = codes

    def mount(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_get("/h5/login", self.page)

    async def page(self, request: web.Request) -> web.Response:
        """Show the page; to a browser that is logged in, who it is logged in as."""
        asker = await self._desk.visit(request)
        if asker.owner is not None:
            return await self._login_pages.login(request)
        kind = CodeForm if request.query.get("tab") == "code" else PasswordForm
        about = await self._login_first.about(request, asker)
        away = self._login_first.away(request, leads(about, self._home))
        return await self._shown(request, asker, Posted(kind(flow=request.query.get("flow", ""))), about, away)

    async def again(self, request: web.Request, asker: Asker, posted: Posted[PasswordForm | CodeForm]) -> web.Response:
        """Show the page with what was typed, in front the way of logging in that it was typed for."""
        return await self._shown(request, asker, posted, await self._login_first.about(request, asker))

    async def _shown(
        self,
        request: web.Request,
        asker: Asker,
        posted: Posted[PasswordForm | CodeForm],
        about: Purposeful | None,
        away: Away | None = None,
    ) -> web.Response:
        form = posted.form
        view = FormView(csrf=asker.csrf, values=form.kept)
        draft = await self._codes.find(asker.holder, form.flow) if isinstance(form, CodeForm) else None
        if draft is not None:
            view = with_code(replace(view, flow=draft.id), draft.facts.dispatch, draft.facts.again_at, draft.now)
        page = PhoneLoginPage(
            tab="password" if isinstance(form, PasswordForm) else "code",
            client=self._client if about is None else about.client.name,
            away=away,
            form=await self._form_views.fill(view, asker.holder, asker.source, posted),
        )
        return self._desk.answer(request, asker, page, because=posted.because)
