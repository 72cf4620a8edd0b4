"""支付宝: the gateway of ``openapi.alipay.com``, below ``/alipay``.

:class:`Alipay` holds what phones do (an auth code, a face before the camera, the phone button); :meth:`Alipay.mount`
adds the gateway and the page behind its signed addresses.
"""

from __future__ import annotations

from aiohttp import web

from bjidp.sandbox.alipay.certify import CAMERA_PATH, Certify
from bjidp.sandbox.alipay.gateway import Gateway
from bjidp.sandbox.alipay.oauth import OAuth
from bjidp.sandbox.alipay.phone import Phone
from bjidp.sandbox.clock import Clock
from bjidp.sandbox.credentials import AlipayApp
from bjidp.sandbox.entropy import Entropy
from bjidp.sandbox.openids import OpenIds
from bjidp.sandbox.people import People
from bjidp.sandbox.settings import AlipayRules


class Alipay:
    """Alipay as one app sees it."""

    def __init__(
        self, *, clock: Clock, entropy: Entropy, app: AlipayApp, openid_seed: str, rules: AlipayRules, people: People
    ) -> None:
        """Serve ``app`` alone."""
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

    def mount(self, app: web.Application) -> None:
        """Add Alipay's routes."""
        app.router.add_get("/alipay/gateway.do", self._gateway.handle)
        app.router.add_post("/alipay/gateway.do", self._gateway.handle)
        app.router.add_post(CAMERA_PATH + "{certify_id}", self.face.camera)
