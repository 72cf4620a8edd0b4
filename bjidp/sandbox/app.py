"""The sandbox's composition root: settings in, one aiohttp application out.

Started only by the demo and by tests; production refuses its addresses and its numbers.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import structlog
from aiohttp import web
from yarl import URL

from bjidp.sandbox import phone
from bjidp.sandbox.alipay import Alipay
from bjidp.sandbox.authority import Authority
from bjidp.sandbox.baidu import Baidu
from bjidp.sandbox.bank import Bank
from bjidp.sandbox.business_register import BusinessRegister
from bjidp.sandbox.captchas import CaptchaAnswers
from bjidp.sandbox.chuanglan import Chuanglan
from bjidp.sandbox.control import Control
from bjidp.sandbox.faults import SERVICES, Faults
from bjidp.sandbox.inbox import Inbox
from bjidp.sandbox.mail import MailServer
from bjidp.sandbox.national import National
from bjidp.sandbox.people import People
from bjidp.sandbox.settings import SandboxSettings
from bjidp.sandbox.wechat import Wechat

INBOX: Final = web.AppKey("inbox", Inbox)
"""Where the services that send put their messages."""
CAPTCHAS: Final = web.AppKey("captchas", CaptchaAnswers)
"""Where tests in the same process hand the answers of the server's captchas."""

_BODY_LIMIT: Final = 64 * 1024


def build(settings: SandboxSettings) -> web.Application:
    """Return the sandbox, ready to be served at any address.

    Raises :class:`ValueError` when ``server_url`` is not an absolute http or https address.
    """
    clock, entropy, credentials = settings.clock, settings.entropy, settings.credentials
    people = People()
    host = (URL(f"//{settings.server_host}") if settings.server_host else URL(settings.server_url)).host or ""
    faults = Faults()
    inbox = Inbox(clock)
    captchas = CaptchaAnswers(clock)
    wechat = Wechat(
        clock=clock,
        entropy=entropy,
        app=credentials.wechat,
        website=credentials.wechat_website,
        public=credentials.wechat_public,
        openid_seed=credentials.openid_seed,
        rules=settings.wechat,
        people=people,
        host=host,
    )
    alipay = Alipay(
        clock=clock,
        entropy=entropy,
        app=credentials.alipay,
        website=credentials.alipay_website,
        openid_seed=credentials.openid_seed,
        rules=settings.alipay,
        people=people,
        host=host,
    )
    baidu = Baidu(
        clock=clock,
        entropy=entropy,
        app=credentials.baidu,
        website=credentials.baidu_website,
        openid_seed=credentials.openid_seed,
        rules=settings.baidu,
        people=people,
        host=host,
    )
    national = National(
        clock=clock,
        entropy=entropy,
        client=credentials.national,
        openid_seed=credentials.openid_seed,
        rules=settings.national,
        people=people,
        host=host,
    )
    authority = Authority(clock=clock, entropy=entropy, key=credentials.authority, people=people)
    bank = Bank(clock=clock, entropy=entropy, key=credentials.bank, rules=settings.bank, people=people)
    business_register = BusinessRegister(clock=clock, entropy=entropy, key=credentials.business_register, people=people)
    chuanglan = Chuanglan(
        clock=clock, entropy=entropy, account=credentials.chuanglan, rules=settings.chuanglan, inbox=inbox
    )
    control = Control(
        people=people,
        organisations=business_register.all(),
        charges={
            "authority": authority.charged,
            "bank": bank.charged,
            "register": business_register.charged,
            "national": national.registered,
        },
        logins={"wechat": wechat.login, "alipay": alipay.login, "baidu": baidu.login},
        cameras=(wechat.face, alipay.face, baidu.face),
        buttons={"wechat": wechat.phone, "alipay": alipay.phone, "baidu": baidu.phone},
        inbox=inbox,
        captchas=captchas,
        faults=faults,
    )

    app = web.Application(middlewares=[faults.middleware], client_max_size=_BODY_LIMIT)
    app[INBOX] = inbox
    app[CAPTCHAS] = captchas
    for part in (wechat, alipay, baidu, authority, bank, business_register, chuanglan, national, control):
        part.mount(app)
    phone.mount(
        app,
        server_url=settings.server_url,
        server_host=settings.server_host,
        server_tls=settings.server_tls,
        portal_url=settings.portal_url,
    )

    async def warn(_app: web.Application) -> None:
        structlog.get_logger("bjidp.sandbox").warning(
            "sandbox_not_real",
            warning="THIS IS A SANDBOX: every person, verdict and message here is made up. Never use it in production.",
            base_url=settings.base_url,
            services=list(SERVICES),
        )

    app.on_startup.append(warn)
    if settings.mail is not None:
        mail = MailServer(account=credentials.mail, inbox=inbox, faults=faults)
        app.cleanup_ctx.append(partial(mail.lifespan, settings.mail))
    app.on_shutdown.append(faults.stop)
    return app
