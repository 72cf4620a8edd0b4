"""What the client of each outside service has to be told.

Owns the sections of the configuration that are about outside services: ``config`` takes them from here, so that
``vendors.catalog`` builds clients from what was read, field by field the same. Knows nothing of where they are read.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from bjidp.secret import Secret
from bjidp.vendors.ports.sms import SmsRefusal


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
    aes_key: Secret | None = None
    """The app's content key (接口内容加密方式), 16 bytes in Base64. Without one its phone button is not served."""
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


class BankSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The banks' common door, which knows whose a debit card is."""

    base_url: str
    key_id: str
    secret: Secret


class BusinessRegisterSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The register of organisations and of their legal representatives."""

    base_url: str
    key_id: str
    secret: Secret


class ChuanglanSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account for short messages at Chuanglan (创蓝)."""

    account: str
    """Of the API, not of the console."""
    password: Secret
    signature: str
    """Who signs each message, as registered there: 2 to 16 characters without the brackets 【】."""
    base_url: str
    """Chuanglan tells each account its host, such as https://smssh1.253.com, or https://smssh.253.com for ``v2``."""
    api: Literal["v1", "v2"] = "v1"
    """``v1`` is sent whole texts, ``v2`` the values of templates that are registered there."""
    report: bool = True
    """Whether the operators' reports are wanted."""
    pull_reports: bool = False
    """``v1``: whether reports are asked for, which the account has to have. Each is handed out once, to one asker."""
    push_receiver: Secret | None = None
    """The name that Chuanglan shows with each report that it brings, as set in its console."""
    push_password: Secret | None = None
    extend: str = ""
    """One to three digits after the sender's number, where the account has them."""
    templates: dict[str, str] = {}
    """``v2``: our name of each template to the id it has there."""
    refusals: dict[str, SmsRefusal] = {}
    """``v2``: what each of its error codes means. No public document lists them; an unknown one is an outage."""


class MailSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mail server that takes our mail."""

    host: str
    sender: str
    """The address that mail comes from."""
    sender_name: str = ""
    """What mail programs show beside it."""
    security: Literal["tls", "starttls", "plain"] = "tls"
    """How the connection is protected: from the first byte, or from the greeting on; ``plain`` is for this machine."""
    port: int | None = None
    """By default 465, 587 for ``starttls`` and 25 for ``plain``."""
    username: str | None = None
    password: Secret | None = None


class WechatLoginSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One website application at WeChat's Open Platform, and perhaps the public account for its own browser."""

    app_id: str
    app_secret: Secret
    public_app_id: str | None = None
    """Of a public account (公众号) on the same Open Platform account, by which people log in inside WeChat."""
    public_app_secret: Secret | None = None
    page_url: str = "https://open.weixin.qq.com"
    base_url: str = "https://api.weixin.qq.com"


class AlipayLoginSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One web application at Alipay."""

    app_id: str
    private_key: Secret
    """The app's: PKCS#1 or PKCS#8, PEM or bare Base64."""
    alipay_public_key: str
    """Alipay's, not the app's: X.509, PEM or bare Base64."""
    page_url: str = "https://openauth.alipay.com/oauth2/publicAppAuthorize.htm"
    gateway_url: str = "https://openapi.alipay.com/gateway.do"


class BaiduLoginSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One web application at Baidu."""

    client_id: str
    """Its API Key."""
    client_secret: Secret
    """Its Secret Key."""
    page_url: str = "https://openapi.baidu.com/oauth/2.0/authorize"
    base_url: str = "https://openapi.baidu.com"


class NationalLoginSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One application at 国家政务服务平台.

    Its wire is told to who joins it, and to nobody else. What it may differ in is a setting; the defaults are those of
    Beijing's own platform, as the nearest that is public.
    """

    client_id: str
    client_secret: Secret
    """32 hexadecimal digits: the key of what is encrypted."""
    page_url: str
    """Where browsers log in."""
    token_url: str
    user_url: str
    """What tells who the access token is of."""
    cipher: Literal["aes", "sm4"] = "aes"
    """Of 128 bits, in ECB mode, written in hexadecimal."""
    scope: str = "user_info"
    code_parameter: str = "grant_code"
    """What the code is called in the question for a token."""
    status: str = "meta.code"
    """Where an answer tells whether it is one, as names of members; zero is yes."""
    token: str = "data.access_token"  # noqa: S105 - the place of one
    """Where an answer has the access token."""
    user: str = "data.uniqueId"
    """Where an answer has the name of the user."""
    sealed: str = ""
    """The member of the answer about the user that is encrypted, and is JSON beneath; empty where none is."""


class NationalRegisterSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The application at 国家政务服务平台 that makes users there.

    The path that is public by its name is ``/open/api/register/doUserRegisterByCertInfo``; what it is sent is told to
    who joins it. The defaults are a profile of our own in the manner of Beijing's platform.
    """

    client_id: str
    client_secret: Secret
    """32 hexadecimal digits: the key of what is encrypted."""
    url: str
    """The whole address of the call."""
    cipher: Literal["aes", "sm4"] = "aes"
    """Of 128 bits, in ECB mode, written in hexadecimal."""
    reference_parameter: str = "request_id"
    """What our reference is called, by which a second attempt makes nobody twice."""
    person_parameter: str = "cert_info"
    """What the person is called, who is encrypted as JSON."""
    status: str = "meta.code"
    """Where an answer tells whether it is a yes, as names of members; zero is yes."""
    echo: str = "data.request_id"
    """Where a yes repeats our reference, since another question's answer counts for nothing; empty where it is not."""
    known: list[str] = []
    """Which codes say that the person is a user there already."""
    refused: list[str] = []
    """Which codes say no for good. No public document lists any; whatever is not here is an outage, and asked again."""
