"""All outside services, put together from their settings.

Owns what each client has to be told and how the clients share connections, tokens and keys. Called by
``bjidp.bootstrap``, which fills the settings from the configuration and closes the :class:`HttpClients` at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from msgspec import Struct

from bjidp.clock import Clock
from bjidp.platforms import Platform
from bjidp.secret import Secret
from bjidp.vendors.alipay.face import AlipayFace
from bjidp.vendors.alipay.gateway import AlipayGateway
from bjidp.vendors.alipay.sign_in import AlipaySignIn
from bjidp.vendors.alipay.signing import AnswerKey, RequestKey
from bjidp.vendors.authority.client import AuthorityClient
from bjidp.vendors.baidu.face import BaiduFace
from bjidp.vendors.baidu.sign_in import BaiduSignIn
from bjidp.vendors.baidu.token import AipCalls
from bjidp.vendors.http import HttpLimits, SessionFactory, VendorHttp, open_session
from bjidp.vendors.ports import PlatformClients
from bjidp.vendors.wechat.face import WechatFace
from bjidp.vendors.wechat.sign_in import WechatSignIn
from bjidp.vendors.wechat.token import WechatCalls


class WechatSettings(Struct, frozen=True, kw_only=True):
    """One mini-program at WeChat."""

    app_id: str
    app_secret: Secret
    base_url: str = "https://api.weixin.qq.com"
    limits: HttpLimits = HttpLimits()


class AlipaySettings(Struct, frozen=True, kw_only=True):
    """One mini-program at Alipay."""

    app_id: str
    private_key: Secret
    """The app's: PKCS#1 or PKCS#8, PEM or bare Base64."""
    alipay_public_key: str
    """Alipay's, not the app's: X.509, PEM or bare Base64."""
    base_url: str = "https://openapi.alipay.com/gateway.do"
    page_url: str | None = None
    """The gateway as phones reach it, where that differs from how this server does."""
    face_biz_code: str = "FACE"
    face_return_url: str | None = None
    """Where a check that was opened in a browser leads back to; None is the mini-program."""
    limits: HttpLimits = HttpLimits()


class BaiduSettings(Struct, frozen=True, kw_only=True):
    """One smart program at Baidu, and the application at Baidu's cloud that checks faces for it."""

    app_key: str
    app_secret: Secret
    aip_key: str
    aip_secret: Secret
    plan_id: int
    face_success_url: str
    face_failed_url: str
    """Where Baidu's page leads its user when it is done; neither address is proof of anything."""
    base_url: str = "https://spapi.baidu.com"
    aip_url: str = "https://aip.baidubce.com"
    face_page_url: str = "https://brain.baidu.com/face/print/"
    limits: HttpLimits = HttpLimits()


class PlatformSettings(Struct, frozen=True, kw_only=True):
    """The platforms whose mini-programs may log in; None leaves one out."""

    wechat: WechatSettings | None = None
    alipay: AlipaySettings | None = None
    baidu: BaiduSettings | None = None


class AuthoritySettings(Struct, frozen=True, kw_only=True):
    """The authority that issues documents."""

    base_url: str
    key_id: str
    secret: Secret
    limits: HttpLimits = HttpLimits()


class HttpClients:
    """Opens one HTTP client a service, and closes them all."""

    def __init__(self, *, clock: Clock, sessions: SessionFactory = open_session) -> None:
        """Open clients that measure by ``clock`` and speak through sessions made by ``sessions``."""
        self._clock = clock
        self._sessions = sessions
        self._opened: list[VendorHttp] = []

    def open(self, service: str, base_url: str, limits: HttpLimits) -> VendorHttp:
        """Return a client of its own for ``service``, with connections that no other service shares."""
        http = VendorHttp(service, base_url, clock=self._clock, limits=limits, sessions=self._sessions)
        self._opened.append(http)
        return http

    async def close(self) -> None:
        """Close every client opened here."""
        await asyncio.gather(*(http.close() for http in self._opened))


def build_platforms(
    settings: PlatformSettings, *, http: HttpClients, clock: Clock
) -> Mapping[Platform, PlatformClients]:
    """Return the clients of every platform that is set; raise :class:`ValueError` for a key that can't be read."""
    platforms: dict[Platform, PlatformClients] = {}
    if settings.wechat is not None:
        platforms[Platform.WECHAT] = _wechat(settings.wechat, http, clock)
    if settings.alipay is not None:
        platforms[Platform.ALIPAY] = _alipay(settings.alipay, http, clock)
    if settings.baidu is not None:
        platforms[Platform.BAIDU] = _baidu(settings.baidu, http, clock)
    return platforms


def build_authority(settings: AuthoritySettings, *, http: HttpClients, clock: Clock) -> AuthorityClient:
    """Return the authority's client."""
    return AuthorityClient(
        http.open("authority", settings.base_url, settings.limits),
        key_id=settings.key_id,
        secret=settings.secret,
        clock=clock,
    )


def _wechat(settings: WechatSettings, http: HttpClients, clock: Clock) -> PlatformClients:
    client = http.open("wechat", settings.base_url, settings.limits)
    calls = WechatCalls(client, app_id=settings.app_id, app_secret=settings.app_secret, clock=clock)
    return PlatformClients(
        sign_in=WechatSignIn(client, app_id=settings.app_id, app_secret=settings.app_secret),
        face=WechatFace(client, calls, app_id=settings.app_id),
    )


def _alipay(settings: AlipaySettings, http: HttpClients, clock: Clock) -> PlatformClients:
    gateway = AlipayGateway(
        http.open("alipay", settings.base_url, settings.limits),
        app_id=settings.app_id,
        request_key=RequestKey(settings.private_key),
        answer_key=AnswerKey(settings.alipay_public_key),
        clock=clock,
    )
    return PlatformClients(
        sign_in=AlipaySignIn(gateway, app_id=settings.app_id),
        face=AlipayFace(
            gateway,
            app_id=settings.app_id,
            biz_code=settings.face_biz_code,
            return_url=settings.face_return_url or f"alipays://platformapi/startapp?appId={settings.app_id}",
            page=settings.page_url or settings.base_url,
        ),
    )


def _baidu(settings: BaiduSettings, http: HttpClients, clock: Clock) -> PlatformClients:
    cloud = http.open("baidu_aip", settings.aip_url, settings.limits)
    calls = AipCalls(cloud, api_key=settings.aip_key, secret_key=settings.aip_secret, clock=clock)
    return PlatformClients(
        sign_in=BaiduSignIn(
            http.open("baidu", settings.base_url, settings.limits),
            app_key=settings.app_key,
            app_secret=settings.app_secret,
        ),
        face=BaiduFace(
            cloud,
            calls,
            app_key=settings.app_key,
            plan_id=settings.plan_id,
            page=settings.face_page_url,
            success_url=settings.face_success_url,
            failed_url=settings.face_failed_url,
        ),
    )
