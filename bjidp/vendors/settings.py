"""What the client of each outside service has to be told.

Owns the sections of the configuration that are about outside services: ``config`` takes them from here, so that
``vendors.catalog`` builds clients from what was read, field by field the same. Knows nothing of where they are read.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.secret import Secret


class WechatSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mini-program at WeChat."""

    app_id: str
    app_secret: Secret
    base_url: str = "https://api.weixin.qq.com"


class AlipaySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mini-program at Alipay."""

    app_id: str
    private_key: Secret
    """The app's: PKCS#1 or PKCS#8, PEM or bare Base64."""
    alipay_public_key: str
    """Alipay's, not the app's: X.509, PEM or bare Base64."""
    gateway_url: str = "https://openapi.alipay.com/gateway.do"


class BaiduSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One smart program at Baidu, and the application at Baidu's cloud that checks faces for it."""

    app_key: str
    app_secret: Secret
    aip_key: str
    aip_secret: Secret
    plan_id: int
    base_url: str = "https://spapi.baidu.com"
    aip_url: str = "https://aip.baidubce.com"
    face_page_url: str = "https://brain.baidu.com/face/print/"


class AuthoritySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The authority that knows which name belongs to which number."""

    base_url: str
    key_id: str
    secret: Secret
