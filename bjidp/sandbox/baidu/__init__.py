"""百度: the smart program and the face service, below ``/baidu``.

Its several hosts (``spapi``, ``openapi``, ``aip``, ``brain``) are one here; the two products that share the token
address have keys of their own. :class:`Baidu` holds what phones do; :meth:`Baidu.mount` adds the calls of servers and
the page of the face check.
"""

from __future__ import annotations

from aiohttp import web

from bjidp.sandbox.baidu.faceprint import Faceprint
from bjidp.sandbox.baidu.phone import Phone
from bjidp.sandbox.baidu.session import Session
from bjidp.sandbox.baidu.tokens import Tokens
from bjidp.sandbox.baidu.web import WebLogin
from bjidp.sandbox.clock import Clock
from bjidp.sandbox.credentials import BaiduApp, WebClient
from bjidp.sandbox.entropy import Entropy
from bjidp.sandbox.openids import OpenIds
from bjidp.sandbox.people import People
from bjidp.sandbox.settings import BaiduRules

_FACEPRINT = "/baidu/rpc/2.0/brain/solution/faceprint"


class Baidu:
    """Baidu as one smart program and one website see it."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        app: BaiduApp,
        website: WebClient,
        openid_seed: str,
        rules: BaiduRules,
        people: People,
        host: str,
    ) -> None:
        """Serve ``app`` and ``website``, whose site is at ``host``."""
        self._web = WebLogin(
            clock=clock,
            entropy=entropy,
            client=website,
            openid_seed=openid_seed,
            rules=rules,
            people=people,
            host=host,
        )
        open_ids = OpenIds(openid_seed, "baidu", app.client_id)
        self._tokens = Tokens(clock=clock, entropy=entropy, app=app, rules=rules, web_login=self._web)
        self.login = Session(clock=clock, entropy=entropy, app=app, rules=rules, open_ids=open_ids)
        self.phone = Phone(entropy=entropy, app=app, login=self.login)
        self.face = Faceprint(clock=clock, entropy=entropy, app=app, rules=rules, tokens=self._tokens, people=people)

    def mount(self, app: web.Application) -> None:
        """Add Baidu's routes."""
        self._web.mount(app)
        for path, handler in (
            ("/baidu/oauth/jscode2sessionkey", self.login.newer),
            ("/baidu/nalogin/getSessionKeyByCode", self.login.older),
            ("/baidu/oauth/2.0/token", self._tokens.handle),
        ):
            # Documents say POST; real clients use GET as well and are answered.
            app.router.add_post(path, handler)
            app.router.add_get(path, handler)
        app.router.add_post(f"{_FACEPRINT}/verifyToken/generate", self.face.generate)
        app.router.add_post(f"{_FACEPRINT}/idcard/submit", self.face.submit)
        app.router.add_post(f"{_FACEPRINT}/result/detail", self.face.detail)
        app.router.add_post(f"{_FACEPRINT}/result/getall", self.face.get_all)
        app.router.add_get("/baidu/face/print/", self.face.show)
        app.router.add_post("/baidu/face/print/", self.face.shown)
