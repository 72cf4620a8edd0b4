"""Logging in to a site by the platform: the page ``goUserLogin``, ``getAccessToken``, ``getUserInfo``.

How the two calls know their caller, and what an answer looks like, is in :mod:`bjidp.sandbox.national.caller`.
"""

from __future__ import annotations

import json
from typing import Final

from aiohttp import web

from bjidp.sandbox.clock import DAY, Clock
from bjidp.sandbox.credentials import WebClient
from bjidp.sandbox.entropy import Entropy, hexadecimal
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.national.caller import CERT_TYPES, Answer, Caller, Refused, fields, reply
from bjidp.sandbox.openids import OpenIds
from bjidp.sandbox.people import People
from bjidp.sandbox.settings import NationalRules
from bjidp.sandbox.web_login import Granted, GrantUnknown, LoginPage, WebCodes, back

PAGE: Final = "/pages/national/open/login/goUserLogin"


class Login:
    """One site."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        client: WebClient,
        caller: Caller,
        openid_seed: str,
        rules: NationalRules,
        people: People,
        host: str,
    ) -> None:
        """Serve ``client``, who is known by ``caller`` and whose site is at ``host``."""
        self._clock = clock
        self._entropy = entropy
        self._client = client
        self._caller = caller
        self._rules = rules
        self._people = people
        self._names = OpenIds(openid_seed, "national", client.client_id)
        self._codes = WebCodes(clock, rules.code_lifetime)
        self._tokens: Expiring[str] = Expiring()
        self._page = LoginPage(brand="national", title="国家政务服务平台登录（替身）", people=people, host=host)

    def mount(self, app: web.Application) -> None:
        """Add the page and the two calls."""
        app.router.add_get(PAGE, self.show)
        app.router.add_post(PAGE, self.answer)
        app.router.add_post("/national/api/oauth/getAccessToken", self.token)
        for method in ("GET", "POST"):
            app.router.add_route(method, "/national/api/info/getUserInfo", self.info)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Show the page, or say why not."""
        return self._refusal(request) or self._page.show(request)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take what was pressed; a refusal leads nowhere."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        chosen = await self._page.chosen(request)
        if chosen is None:
            return self._page.notice("请求无效", status=400)
        if not chosen.agrees:
            return self._page.notice("您已取消登录")
        redirect_uri, code = request.query["redirect_uri"], hexadecimal(self._entropy, 32)
        self._codes.issue(code, Granted(chosen.user, redirect_uri))
        raise back(redirect_uri, code=code, state=request.query.get("state", ""))

    async def token(self, request: web.Request) -> web.StreamResponse:
        """Answer ``getAccessToken``."""
        try:
            return reply(self._token(await fields(request)))
        except Refused as refused:
            return reply(refused.answer)

    async def info(self, request: web.Request) -> web.StreamResponse:
        """Answer ``getUserInfo``."""
        try:
            return reply(self._info(await fields(request)))
        except Refused as refused:
            return reply(refused.answer)

    def _token(self, form: dict[str, str]) -> Answer:
        if form.get("grant_type") != "authorization_code":
            raise Refused(10001, "参数错误")
        self._caller.check(form)
        try:
            granted = self._codes.redeem(form.get("grant_code", ""))
        except GrantUnknown:
            raise Refused(10003, "grant_code无效") from None
        now, token = self._clock.now(), hexadecimal(self._entropy, 32)
        self._tokens.put(token, granted.user, until=now + DAY, now=now)
        data = {
            "access_token": token,
            "token_type": "",
            "expires_in": now + DAY,
            "refresh_token": hexadecimal(self._entropy, 32),
        }
        return {"meta": {"code": 0, "message": "success"}, "data": data}

    def _info(self, form: dict[str, str]) -> Answer:
        user = self._tokens.get(form.get("access_token", ""), self._clock.now())
        if user is None:
            raise Refused(10004, "access_token无效")
        data: Answer = {"uniqueId": self._names.alipay(user), "userName": user, "clientId": self._client.client_id}
        person = self._people.find(user)
        if person is not None:
            data |= {
                "certName": person.name,
                "certNo": self._caller.encrypted(person.document_number),
                "certNoType": CERT_TYPES[person.document_type],
                "certLevel": "L3",
                "mobile": person.phone,
                "mail": "",
                "version": "1.0",
            }
        told: Answer | str = (
            self._caller.encrypted(json.dumps(data, ensure_ascii=False)) if self._rules.seals_users else data
        )
        return {"meta": {"code": 0, "message": "success"}, "data": told}

    def _refusal(self, request: web.Request) -> web.Response | None:
        query = request.query
        if query.get("client_id") != self._client.client_id or query.get("response_type") != "code":
            return self._page.notice("应用未接入", status=400)
        if query.get("scope") != "user_info" or not self._page.is_registered(query.get("redirect_uri", "")):
            return self._page.notice("回调地址未登记", status=400)
        return None
