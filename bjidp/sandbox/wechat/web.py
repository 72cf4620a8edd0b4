"""WeChat's login for websites: two pages, and ``sns/oauth2/access_token`` and ``sns/userinfo`` behind them.

A website application shows a QR code to whoever is at a computer; a public account is agreed to inside WeChat alone.
Both stand under one owner, to whom a user is one unionid.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from msgspec import Struct

from bjidp.sandbox.clock import SECOND, Clock
from bjidp.sandbox.credentials import WechatApp
from bjidp.sandbox.entropy import Entropy, base64url
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.openids import OpenIds
from bjidp.sandbox.people import People
from bjidp.sandbox.settings import WechatRules
from bjidp.sandbox.web_login import Granted, GrantUnknown, GrantUsed, LoginPage, WebCodes, back
from bjidp.sandbox.wechat.answers import Answer, Answers, WechatError
from bjidp.sandbox.wechat.tokens import check_app

_CLOSED: Final = "该链接无法访问"
_CODE_LIFETIME: Final = 600 * SECOND
_TOKEN_LIFETIME: Final = 7200 * SECOND


class _Token(Struct, frozen=True):
    user: str
    open_id: str


class WebApp:
    """One app at which people log in to a website."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        app: WechatApp,
        scopes: frozenset[str],
        page: LoginPage,
        rules: WechatRules,
        inside: bool,
    ) -> None:
        """Serve ``app``; ``inside`` is for WeChat's own browser alone."""
        self.app = app
        self.codes = WebCodes(clock, _CODE_LIFETIME)
        self._entropy = entropy
        self._scopes = scopes
        self._page = page
        self._rules = rules
        self._inside = inside

    def mount(self, app: web.Application, path: str) -> None:
        """Add the page."""
        app.router.add_get(path, self.show)
        app.router.add_post(path, self.answer)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Show the page, or say why not."""
        return self._refusal(request) or self._page.show(request)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take what was pressed."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        chosen = await self._page.chosen(request)
        if chosen is None:
            return self._page.notice("请求无效", status=400)
        redirect_uri, state = request.query["redirect_uri"], request.query.get("state", "")
        if chosen.agrees:
            code = "0" + base64url(self._entropy.octets(23))
            self.codes.issue(code, Granted(chosen.user, redirect_uri))
            raise back(redirect_uri, code=code, state=state)
        if self._rules.refusal_leads_back:
            raise back(redirect_uri, state=state)
        return self._page.notice("您已拒绝登录")

    def _refusal(self, request: web.Request) -> web.Response | None:
        query = request.query
        if self._inside and "MicroMessenger/" not in request.headers.get("User-Agent", ""):
            return self._page.notice("请在微信客户端打开链接", status=403)
        if query.get("appid") != self.app.app_id or query.get("response_type") != "code":
            return self._page.notice(_CLOSED, status=403)
        if query.get("scope") not in self._scopes or not self._page.is_registered(query.get("redirect_uri", "")):
            return self._page.notice(_CLOSED, status=403)
        return None


class WebLogin:
    """Both apps, and what servers ask about their users."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        website: WechatApp,
        public: WechatApp,
        openid_seed: str,
        rules: WechatRules,
        people: People,
        host: str,
    ) -> None:
        """Serve ``website`` and ``public``, whose site is at ``host``."""
        page = LoginPage(brand="wechat", title="微信登录", people=people, host=host)
        self._clock = clock
        self._entropy = entropy
        self._rules = rules
        self._people = people
        self._website = WebApp(
            clock=clock,
            entropy=entropy,
            app=website,
            scopes=frozenset({"snsapi_login"}),
            page=page,
            rules=rules,
            inside=False,
        )
        self._public = WebApp(
            clock=clock,
            entropy=entropy,
            app=public,
            scopes=frozenset({"snsapi_base", "snsapi_userinfo"}),
            page=page,
            rules=rules,
            inside=True,
        )
        self._open_ids = {app.app_id: OpenIds(openid_seed, "wechat", app.app_id) for app in (website, public)}
        self._union_ids = OpenIds(openid_seed, "wechat-owner", "")
        self._tokens: Expiring[_Token] = Expiring()

    def mount(self, app: web.Application, answers: Answers) -> None:
        """Add pages and calls."""
        self._website.mount(app, "/pages/wechat/connect/qrconnect")
        self._public.mount(app, "/pages/wechat/connect/oauth2/authorize")
        app.router.add_get("/wechat/sns/oauth2/access_token", answers.handler(self.access_token))
        app.router.add_get("/wechat/sns/userinfo", answers.handler(self.userinfo))

    async def access_token(self, request: web.Request) -> Answer:
        """Answer ``GET /sns/oauth2/access_token``."""
        query = request.query
        asked = self._public if query.get("appid") == self._public.app.app_id else self._website
        check_app(asked.app, query.get("appid"), query.get("secret"))
        if query.get("grant_type") != "authorization_code":
            raise WechatError(40002)
        try:
            granted = asked.codes.redeem(query.get("code", ""))
        except GrantUsed:
            raise WechatError(40163) from None
        except GrantUnknown:
            raise WechatError(40029) from None
        now, token = self._clock.now(), base64url(self._entropy.octets(60))
        open_id = self._open_ids[asked.app.app_id].wechat(granted.user)
        self._tokens.put(token, _Token(granted.user, open_id), until=now + _TOKEN_LIFETIME, now=now)
        return {
            "access_token": token,
            "expires_in": _TOKEN_LIFETIME // SECOND,
            "refresh_token": base64url(self._entropy.octets(60)),
            "openid": open_id,
            "scope": "snsapi_login" if asked is self._website else "snsapi_userinfo",
        }

    async def userinfo(self, request: web.Request) -> Answer:
        """Answer ``GET /sns/userinfo``."""
        token = self._tokens.get(request.query.get("access_token", ""), self._clock.now())
        if token is None:
            raise WechatError(40001)
        if request.query.get("openid") != token.open_id:
            raise WechatError(40003)
        person = self._people.find(token.user)
        answer: Answer = {
            "openid": token.open_id,
            "nickname": token.user if person is None else person.name,
            "sex": 0,
            "province": "",
            "city": "",
            "country": "",
            "headimgurl": "",
            "privilege": [],
        }
        if self._rules.tells_union_id:
            answer["unionid"] = self._union_ids.wechat(token.user)
        return answer
