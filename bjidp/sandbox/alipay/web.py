"""Alipay's login for websites: the page ``publicAppAuthorize.htm``, and ``alipay.user.info.share``."""

from __future__ import annotations

from aiohttp import web

from bjidp.sandbox.alipay.errors import AlipayError, Node
from bjidp.sandbox.alipay.gateway import Parameters
from bjidp.sandbox.alipay.oauth import OAuth
from bjidp.sandbox.people import People
from bjidp.sandbox.web_login import LoginPage, back

PAGE = "/pages/alipay/oauth2/publicAppAuthorize.htm"


class WebLogin:
    """The page, and what it comes to."""

    def __init__(self, *, app_id: str, oauth: OAuth, people: People, host: str) -> None:
        """Issue the codes of ``oauth``, which are of the web application ``app_id``, for a site at ``host``."""
        self._app_id = app_id
        self._oauth = oauth
        self._people = people
        self._page = LoginPage(brand="alipay", title="支付宝登录", people=people, host=host)

    def mount(self, app: web.Application) -> None:
        """Add the page."""
        app.router.add_get(PAGE, self.show)
        app.router.add_post(PAGE, self.answer)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Show the page, or say why not."""
        return self._refusal(request) or self._page.show(request)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take what was pressed. Where a refusal leads is told by no public document: here, nowhere."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        chosen = await self._page.chosen(request)
        if chosen is None:
            return self._page.notice("请求无效", status=400)
        if not chosen.agrees:
            return self._page.notice("您已取消授权")
        raise back(
            request.query["redirect_uri"],
            app_id=self._app_id,
            source="alipay_wallet",
            scope=request.query["scope"],
            auth_code=self._oauth.login_code(chosen.user),
            state=request.query.get("state", ""),
        )

    def share(self, parameters: Parameters) -> Node:
        """Answer ``alipay.user.info.share``."""
        user = self._oauth.user_of(parameters.get("auth_token", ""))
        if user is None:
            raise AlipayError("20001", "aop.invalid-auth-token", "无效的访问令牌")
        person = self._people.find(user)
        names = self._oauth.names(user)
        return {"code": "10000", "msg": "Success", **names, "nick_name": user if person is None else person.name}

    def _refusal(self, request: web.Request) -> web.Response | None:
        query = request.query
        if query.get("app_id") != self._app_id or query.get("scope") not in {"auth_base", "auth_user"}:
            return self._page.notice("授权链接参数错误", status=400)
        if not self._page.is_registered(query.get("redirect_uri", "")):
            return self._page.notice("redirect_uri参数不合法", status=400)
        return None
