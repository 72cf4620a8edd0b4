"""All outside services, put together from their settings.

Owns how the clients share connections, tokens and keys. Called by ``bjidp.bootstrap``, which closes the
:class:`HttpClients` at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from bjidp.clock import Clock
from bjidp.entropy import Entropy
from bjidp.platforms import Platform, Provider
from bjidp.vendors.alipay.face import AlipayFace
from bjidp.vendors.alipay.gateway import AlipayGateway
from bjidp.vendors.alipay.phone import AlipayPhone, ContentKey
from bjidp.vendors.alipay.sign_in import AlipaySignIn
from bjidp.vendors.alipay.signing import AnswerKey, RequestKey
from bjidp.vendors.alipay.web_sign_in import AlipayWebSignIn
from bjidp.vendors.authority.client import AuthorityClient
from bjidp.vendors.baidu.face import BaiduFace
from bjidp.vendors.baidu.phone import BaiduPhone
from bjidp.vendors.baidu.sign_in import BaiduSignIn
from bjidp.vendors.baidu.token import AipCalls
from bjidp.vendors.baidu.web_sign_in import BaiduWebSignIn
from bjidp.vendors.bank.client import BankClient
from bjidp.vendors.business_register.client import BusinessRegisterClient
from bjidp.vendors.chuanglan.reports import ChuanglanPull, ChuanglanPush
from bjidp.vendors.chuanglan.templates import ChuanglanTemplates
from bjidp.vendors.chuanglan.texts import ChuanglanTexts
from bjidp.vendors.failover import Failover
from bjidp.vendors.http import HttpLimits, SessionFactory, VendorHttp, open_session
from bjidp.vendors.national.register import NationalRegisterClient
from bjidp.vendors.national.sign_in import NationalSignIn
from bjidp.vendors.ports.mail import MailSender
from bjidp.vendors.ports.platforms import PlatformClients
from bjidp.vendors.ports.providers import WebSignIn
from bjidp.vendors.ports.relying_parties import LogoutReceivers
from bjidp.vendors.ports.sms import SmsPull, SmsPush, SmsSender
from bjidp.vendors.relying_parties.backchannel import LIMITS, Backchannel
from bjidp.vendors.settings import (
    AlipayLoginSettings,
    AlipaySettings,
    AuthoritySettings,
    BaiduLoginSettings,
    BaiduSettings,
    BankSettings,
    BusinessRegisterSettings,
    ChuanglanSettings,
    MailSettings,
    NationalLoginSettings,
    NationalRegisterSettings,
    WechatLoginSettings,
    WechatSettings,
)
from bjidp.vendors.smtp.client import SmtpMail
from bjidp.vendors.wechat.face import WechatFace
from bjidp.vendors.wechat.phone import WechatPhone
from bjidp.vendors.wechat.sign_in import WechatSignIn
from bjidp.vendors.wechat.token import WechatCalls
from bjidp.vendors.wechat.web_sign_in import WebApp, WechatWebSignIn

ALIPAY_FACE: Final = "FACE"
"""Alipay's word for the product the contract is for."""


class HttpClients:
    """Opens one HTTP client a service, and closes them all."""

    def __init__(
        self, *, clock: Clock, limits: HttpLimits | None = None, sessions: SessionFactory = open_session
    ) -> None:
        """Open clients that measure by ``clock``, each within ``limits``, through ``sessions``."""
        self._clock = clock
        self._limits = limits or HttpLimits()
        self._sessions = sessions
        self._opened: list[VendorHttp] = []

    def open(self, service: str, base_url: str, limits: HttpLimits | None = None) -> VendorHttp:
        """Return a client of its own for ``service``, with connections that no other service shares.

        It keeps ``limits``, by default those of all.
        """
        http = VendorHttp(service, base_url, clock=self._clock, limits=limits or self._limits, sessions=self._sessions)
        self._opened.append(http)
        return http

    async def close(self) -> None:
        """Close every client opened here."""
        await asyncio.gather(*(http.close() for http in self._opened))


def build_platforms(
    *,
    http: HttpClients,
    clock: Clock,
    face_done_url: str,
    wechat: WechatSettings | None = None,
    alipay: AlipaySettings | None = None,
    baidu: BaiduSettings | None = None,
) -> Mapping[Platform, PlatformClients]:
    """Return the clients of every platform that is set; raise :class:`ValueError` for a key that can't be read.

    ``face_done_url`` is where Baidu's page leads its user when it is done, well or badly: it is proof of neither.
    """
    platforms: dict[Platform, PlatformClients] = {}
    if wechat is not None:
        platforms[Platform.WECHAT] = _wechat(wechat, http, clock)
    if alipay is not None:
        platforms[Platform.ALIPAY] = _alipay(alipay, http, clock)
    if baidu is not None:
        platforms[Platform.BAIDU] = _baidu(baidu, http, clock, face_done_url)
    return platforms


def build_web_sign_ins(
    *,
    http: HttpClients,
    clock: Clock,
    national: NationalLoginSettings | None = None,
    alipay: AlipayLoginSettings | None = None,
    wechat: WechatLoginSettings | None = None,
    baidu: BaiduLoginSettings | None = None,
) -> Mapping[Provider, WebSignIn]:
    """Return the logins for websites that are set; raise :class:`ValueError` for a key that can't be read.

    In the order of :class:`bjidp.platforms.Provider`, which is that of pages.
    """
    found: dict[Provider, WebSignIn] = {}
    if national is not None:
        found[Provider.NATIONAL] = NationalSignIn(
            tokens=http.open("national", national.token_url),
            users=http.open("national", national.user_url),
            settings=national,
            clock=clock,
        )
    if alipay is not None:
        found[Provider.ALIPAY] = _alipay_web(alipay, http, clock)
    if wechat is not None:
        found[Provider.WECHAT] = _wechat_web(wechat, http)
    if baidu is not None:
        found[Provider.BAIDU] = BaiduWebSignIn(
            http.open("baidu_web", baidu.base_url),
            client_id=baidu.client_id,
            client_secret=baidu.client_secret,
            page_url=baidu.page_url,
        )
    return found


def build_national_register(
    settings: NationalRegisterSettings, *, http: HttpClients, clock: Clock
) -> NationalRegisterClient:
    """Return who makes users of the national platform; raise :class:`ValueError` for a key that can't be read."""
    return NationalRegisterClient(http.open("national_register", settings.url), settings=settings, clock=clock)


def build_authority(settings: AuthoritySettings, *, http: HttpClients, clock: Clock) -> AuthorityClient:
    """Return the authority's client."""
    return AuthorityClient(
        http.open("authority", settings.base_url),
        key_id=settings.key_id,
        secret=settings.secret,
        clock=clock,
    )


def build_bank(settings: BankSettings, *, http: HttpClients, clock: Clock) -> BankClient:
    """Return the bank's client."""
    return BankClient(http.open("bank", settings.base_url), key_id=settings.key_id, secret=settings.secret, clock=clock)


def build_business_register(
    settings: BusinessRegisterSettings, *, http: HttpClients, clock: Clock
) -> BusinessRegisterClient:
    """Return the business register's client."""
    return BusinessRegisterClient(
        http.open("business_register", settings.base_url), key_id=settings.key_id, secret=settings.secret, clock=clock
    )


def build_sms(
    first: ChuanglanSettings,
    second: ChuanglanSettings | None = None,
    *,
    http: HttpClients,
    clock: Clock,
    entropy: Entropy,
    patience: float = 8.0,
    pause: float = 1.0,
) -> SmsSender:
    """Return who sends short messages: the account ``first``, and in its stead ``second`` where there is one.

    Of two, each may take ``patience`` seconds. One alone may take two calls, each within the limits of ``http``, and
    between them the ``pause`` that a busy Chuanglan is left.
    """
    sender = _chuanglan("chuanglan", first, http, clock, entropy, pause=pause)
    if second is None:
        return sender
    return Failover(
        sender, _chuanglan("chuanglan_second", second, http, clock, entropy, pause=pause), patience=patience
    )


def build_sms_push(settings: ChuanglanSettings) -> SmsPush | None:
    """Return who reads the reports that are brought for an account; None where no words are agreed to know them by."""
    if settings.push_receiver is None or settings.push_password is None:
        return None
    return ChuanglanPush(receiver=settings.push_receiver, password=settings.push_password)


def build_sms_pull(service: str, settings: ChuanglanSettings, *, http: HttpClients) -> SmsPull | None:
    """Return who asks for the reports of an account, named ``service`` in the log; None where nobody is to."""
    if not settings.pull_reports:
        return None
    return ChuanglanPull(http.open(service, settings.base_url), account=settings.account, password=settings.password)


def build_mail(settings: MailSettings, *, clock: Clock, patience: float = 8.0) -> MailSender:
    """Return who sends mail, which may take ``patience`` seconds."""
    return SmtpMail(
        host=settings.host,
        port=settings.port,
        security=settings.security,
        username=settings.username,
        password=settings.password,
        sender=settings.sender,
        sender_name=settings.sender_name,
        clock=clock,
        patience=patience,
    )


def _chuanglan(
    service: str, settings: ChuanglanSettings, http: HttpClients, clock: Clock, entropy: Entropy, *, pause: float
) -> SmsSender:
    client = http.open(service, settings.base_url)
    if settings.api == "v1":
        return ChuanglanTexts(
            client,
            account=settings.account,
            password=settings.password,
            signature=settings.signature,
            report=settings.report,
            extend=settings.extend,
            pause=pause,
        )
    return ChuanglanTemplates(
        client,
        account=settings.account,
        password=settings.password,
        signature=settings.signature,
        report=settings.report,
        extend=settings.extend,
        templates=settings.templates,
        refusals=settings.refusals,
        clock=clock,
        entropy=entropy,
    )


def _wechat(settings: WechatSettings, http: HttpClients, clock: Clock) -> PlatformClients:
    client = http.open("wechat", settings.base_url)
    calls = WechatCalls(client, app_id=settings.app_id, app_secret=settings.app_secret, clock=clock)
    return PlatformClients(
        sign_in=WechatSignIn(client, app_id=settings.app_id, app_secret=settings.app_secret),
        face=WechatFace(client, calls, app_id=settings.app_id),
        phone=WechatPhone(client, calls, app_id=settings.app_id, clock=clock),
    )


def _alipay(settings: AlipaySettings, http: HttpClients, clock: Clock) -> PlatformClients:
    client = http.open("alipay", settings.gateway_url)
    answer_key = AnswerKey(settings.alipay_public_key)
    gateway = AlipayGateway(
        client,
        app_id=settings.app_id,
        request_key=RequestKey(settings.private_key),
        answer_key=answer_key,
        clock=clock,
    )
    return PlatformClients(
        sign_in=AlipaySignIn(gateway, app_id=settings.app_id),
        face=AlipayFace(
            gateway,
            app_id=settings.app_id,
            biz_code=ALIPAY_FACE,
            return_url=f"alipays://platformapi/startapp?appId={settings.app_id}",
            page=settings.gateway_url,
        ),
        phone=None
        if settings.aes_key is None
        else AlipayPhone(client, answer_key=answer_key, content_key=ContentKey(settings.aes_key)),
    )


def _baidu(settings: BaiduSettings, http: HttpClients, clock: Clock, face_done_url: str) -> PlatformClients:
    cloud = http.open("baidu_aip", settings.aip_url)
    calls = AipCalls(cloud, api_key=settings.aip_key, secret_key=settings.aip_secret, clock=clock)
    return PlatformClients(
        sign_in=BaiduSignIn(
            http.open("baidu", settings.base_url),
            app_key=settings.app_key,
            app_secret=settings.app_secret,
        ),
        face=BaiduFace(
            cloud,
            calls,
            app_key=settings.app_key,
            plan_id=settings.plan_id,
            page=settings.face_page_url,
            success_url=face_done_url,
            failed_url=face_done_url,
        ),
        phone=BaiduPhone(app_key=settings.app_key),
    )


def _alipay_web(settings: AlipayLoginSettings, http: HttpClients, clock: Clock) -> AlipayWebSignIn:
    gateway = AlipayGateway(
        http.open("alipay_web", settings.gateway_url),
        app_id=settings.app_id,
        request_key=RequestKey(settings.private_key),
        answer_key=AnswerKey(settings.alipay_public_key),
        clock=clock,
    )
    return AlipayWebSignIn(gateway, app_id=settings.app_id, page_url=settings.page_url)


def _wechat_web(settings: WechatLoginSettings, http: HttpClients) -> WechatWebSignIn:
    public = None
    if settings.public_app_id is not None and settings.public_app_secret is not None:
        public = WebApp(settings.public_app_id, settings.public_app_secret)
    return WechatWebSignIn(
        http.open("wechat_web", settings.base_url),
        page_url=settings.page_url,
        website=WebApp(settings.app_id, settings.app_secret),
        public=public,
    )


def build_logout_receivers(*, http: HttpClients, demonstration: bool) -> LogoutReceivers:
    """Return the way to relying parties; in a ``demonstration`` some are reached over plain http."""
    return Backchannel(http.open("relying_party", "", LIMITS), unsafe=demonstration)
