"""支付宝: the gateway of ``openapi.alipay.com``, below ``/alipay``.

:class:`Alipay` holds what phones do (an auth code, a face before the camera, the phone button); :meth:`Alipay.mount`
adds the gateway and the page behind its signed addresses.
"""

from __future__ import annotations

from aiohttp import web

from bjidp.sandbox.alipay.certify import CAMERA_PATH, Certify
from bjidp.sandbox.alipay.gateway import Gateway, merged
from bjidp.sandbox.alipay.oauth import OAuth
from bjidp.sandbox.alipay.phone import Phone
from bjidp.sandbox.alipay.web import WebLogin
from bjidp.sandbox.clock import Clock
from bjidp.sandbox.credentials import AlipayApp
from bjidp.sandbox.entropy import Entropy
from bjidp.sandbox.openids import OpenIds
from bjidp.sandbox.people import People
from bjidp.sandbox.settings import AlipayRules


class Alipay:
    """Alipay as one mini-program and one web application see it."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        app: AlipayApp,
        website: AlipayApp,
        openid_seed: str,
        rules: AlipayRules,
        people: People,
        host: str,
    ) -> None:
        """Serve ``app`` and ``website``, whose site is at ``host``."""
        open_ids = OpenIds(openid_seed, "alipay", app.app_id)
        self.login = OAuth(clock=clock, entropy=entropy, rules=rules, open_ids=open_ids)
        self.face = Certify(clock=clock, entropy=entropy, rules=rules, people=people)
        self.phone = Phone(app=app)
        self._gateway = Gateway(
            app=app,
            methods={
                "alipay.system.oauth.token": self.login.token,
                "alipay.user.certify.open.initialize": self.face.initialize,
                "alipay.user.certify.open.query": self.face.query,
            },
            pages={"alipay.user.certify.open.certify": self.face.certify},
        )
        oauth = OAuth(
            clock=clock, entropy=entropy, rules=rules, open_ids=OpenIds(openid_seed, "alipay", website.app_id)
        )
        self._web = WebLogin(app_id=website.app_id, oauth=oauth, people=people, host=host)
        self._website = website.app_id
        self._web_gateway = Gateway(
            app=website,
            methods={"alipay.system.oauth.token": oauth.token, "alipay.user.info.share": self._web.share},
            pages={},
        )

    def mount(self, app: web.Application) -> None:
        """Add Alipay's routes."""
        app.router.add_get("/alipay/gateway.do", self.gateway)
        app.router.add_post("/alipay/gateway.do", self.gateway)
        self._web.mount(app)
        app.router.add_post(CAMERA_PATH + "{certify_id}", self.face.camera)

    async def gateway(self, request: web.Request) -> web.StreamResponse:
        """Answer a request as the app that it names."""
        parameters = await merged(request)
        asked = self._web_gateway if parameters.get("app_id") == self._website else self._gateway
        return asked.answered(parameters)
