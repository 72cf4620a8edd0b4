"""Baidu's login for websites: ``oauth/2.0/authorize``, the grant ``authorization_code``, ``passport/users/getInfo``."""

from __future__ import annotations

import hmac

from aiohttp import web

from bjidp.sandbox.baidu.answers import Answer, fields, oauth_error, reply
from bjidp.sandbox.clock import MINUTE, SECOND, Clock
from bjidp.sandbox.credentials import WebClient
from bjidp.sandbox.entropy import Entropy, hexadecimal
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.openids import OpenIds
from bjidp.sandbox.people import People
from bjidp.sandbox.settings import BaiduRules
from bjidp.sandbox.web_login import Granted, GrantUnknown, LoginPage, WebCodes, back

PAGE = "/pages/baidu/oauth/2.0/authorize"

_CODE_LIFETIME = 10 * MINUTE


class WebLogin:
    """One website."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        client: WebClient,
        openid_seed: str,
        rules: BaiduRules,
        people: People,
        host: str,
    ) -> None:
        """Serve ``client``, whose site is at ``host``."""
        self._clock = clock
        self._entropy = entropy
        self._client = client
        self._rules = rules
        self._people = people
        self._open_ids = OpenIds(openid_seed, "baidu", client.client_id)
        self._codes = WebCodes(clock, _CODE_LIFETIME)
        self._tokens: Expiring[str] = Expiring()
        self._page = LoginPage(brand="baidu", title="百度账号登录", people=people, host=host)

    def mount(self, app: web.Application) -> None:
        """Add the page and the calls about users; the token's address is shared with others."""
        app.router.add_get(PAGE, self.show)
        app.router.add_post(PAGE, self.answer)
        for method in ("GET", "POST"):
            app.router.add_route(method, "/baidu/rest/2.0/passport/users/getInfo", self.info)

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
        if not chosen.agrees:
            raise back(redirect_uri, error="access_denied", state=state)
        code = hexadecimal(self._entropy, 32)
        self._codes.issue(code, Granted(chosen.user, redirect_uri))
        raise back(redirect_uri, code=code, state=state)

    def grant(self, form: dict[str, str]) -> Answer:
        """Answer the token's address for ``authorization_code``."""
        if form.get("client_id") != self._client.client_id:
            raise oauth_error("invalid_client", "unknown client id")
        if not hmac.compare_digest(
            form.get("client_secret", "").encode(errors="replace"), self._client.secret.encode()
        ):
            raise oauth_error("invalid_client", "Client authentication failed")
        refused = oauth_error("invalid_grant", "Invalid authorization code: it has expired, was used, or never was")
        try:
            granted = self._codes.redeem(form.get("code", ""))
        except GrantUnknown:
            raise refused from None
        if form.get("redirect_uri") != granted.redirect_uri:
            raise refused
        now = self._clock.now()
        token = f"21.{hexadecimal(self._entropy, 32)}.{self._rules.token_lifetime // SECOND}"
        self._tokens.put(token, granted.user, until=now + self._rules.token_lifetime, now=now)
        return {
            "access_token": token,
            "expires_in": self._rules.token_lifetime // SECOND,
            "refresh_token": f"22.{hexadecimal(self._entropy, 32)}",
            "scope": "basic",
            "session_key": "",
            "session_secret": hexadecimal(self._entropy, 32),
        }

    async def info(self, request: web.Request) -> web.StreamResponse:
        """Answer ``passport/users/getInfo``."""
        user = self._tokens.get((await fields(request)).get("access_token", ""), self._clock.now())
        if user is None:
            return reply({"error_code": "110", "error_msg": "Access token invalid or no longer valid"})
        person = self._people.find(user)
        answer: Answer = {"username": user if person is None else person.name, "portrait": "", "sex": "0"}
        if self._rules.tells_user_id:
            return reply({**answer, "userid": self._open_ids.baidu_user_id(user)})
        return reply({**answer, "openid": self._open_ids.baidu(user)})

    def _refusal(self, request: web.Request) -> web.Response | None:
        query = request.query
        if query.get("client_id") != self._client.client_id or query.get("response_type") != "code":
            return self._page.notice("invalid_client", status=400)
        if not self._page.is_registered(query.get("redirect_uri", "")):
            return self._page.notice("redirect_uri_mismatch", status=400)
        return None


def is_code_grant(form: dict[str, str]) -> bool:
    """Tell whether a question at the token's address is about a code."""
    return form.get("grant_type") == "authorization_code"
