"""微信: the mini-program services of ``api.weixin.qq.com``, below ``/wechat``.

:class:`Wechat` holds what phones do (a login code, a face before the camera, the phone button); :meth:`Wechat.mount`
adds the calls of servers. Sources and doubts are listed in the project's vendor notes; what is doubtful is a field of
:class:`bjidp.sandbox.settings.WechatRules`.
"""

from __future__ import annotations

from aiohttp import web

from bjidp.sandbox.clock import Clock
from bjidp.sandbox.credentials import WechatApp
from bjidp.sandbox.entropy import Entropy
from bjidp.sandbox.openids import OpenIds
from bjidp.sandbox.people import People
from bjidp.sandbox.settings import WechatRules
from bjidp.sandbox.wechat.answers import Answers
from bjidp.sandbox.wechat.face import Face
from bjidp.sandbox.wechat.login import Login
from bjidp.sandbox.wechat.phone import Phone
from bjidp.sandbox.wechat.tokens import AccessTokens
from bjidp.sandbox.wechat.web import WebLogin

_FACE = "/wechat/cityservice/face/identify"


class Wechat:
    """WeChat as one mini-program, one website and its public account see it."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        app: WechatApp,
        website: WechatApp,
        public: WechatApp,
        openid_seed: str,
        rules: WechatRules,
        people: People,
        host: str,
    ) -> None:
        """Serve ``app``, and ``website`` and ``public``, whose site is at ``host``."""
        self._web = WebLogin(
            clock=clock,
            entropy=entropy,
            website=website,
            public=public,
            openid_seed=openid_seed,
            rules=rules,
            people=people,
            host=host,
        )
        open_ids = OpenIds(openid_seed, "wechat", app.app_id)
        self._answers = Answers(clock, entropy)
        self._tokens = AccessTokens(clock=clock, entropy=entropy, app=app, rules=rules)
        self.login = Login(clock=clock, entropy=entropy, app=app, rules=rules, open_ids=open_ids, people=people)
        self.face = Face(
            clock=clock, entropy=entropy, rules=rules, tokens=self._tokens, open_ids=open_ids, people=people
        )
        self.phone = Phone(
            clock=clock,
            entropy=entropy,
            app=app,
            rules=rules,
            tokens=self._tokens,
            open_ids=open_ids,
            login=self.login,
        )

    def mount(self, app: web.Application) -> None:
        """Add WeChat's routes."""
        handler = self._answers.handler
        self._web.mount(app, self._answers)
        app.router.add_get("/wechat/sns/jscode2session", handler(self.login.jscode2session))
        app.router.add_get("/wechat/cgi-bin/token", handler(self._tokens.token))
        for path, call in (
            ("/wechat/cgi-bin/stable_token", self._tokens.stable_token),
            (f"{_FACE}/getverifyid", self.face.getverifyid),
            (f"{_FACE}/queryverifyinfo", self.face.queryverifyinfo),
            ("/wechat/wxa/business/getuserphonenumber", self.phone.getuserphonenumber),
        ):
            app.router.add_post(path, handler(call))
            app.router.add_get(path, self._answers.post_only)
