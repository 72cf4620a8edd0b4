"""What a sandbox is started with.

Handed to :func:`bjidp.sandbox.app.build` by whoever starts it: the demo, or a test. The rules of each vendor are those
of its documents; a rule that no public source tells is a field here, so that a doubtful number is never built in.
"""

from __future__ import annotations

import socket
import ssl
from typing import Literal

from msgspec import Struct, field

from bjidp.sandbox.clock import DAY, HOUR, MINUTE, SECOND, Clock
from bjidp.sandbox.credentials import SandboxCredentials
from bjidp.sandbox.entropy import Entropy


class WechatRules(Struct, frozen=True, kw_only=True):
    """How WeChat behaves. Times in milliseconds."""

    code_lifetime: int = 5 * MINUTE
    token_lifetime: int = 2 * HOUR
    token_overlap: int = 5 * MINUTE
    """How long a token lives on after an ordinary renewal, and how early the stable one is renewed."""
    forced_refresh_gap: int = 30 * SECOND
    forced_refreshes_a_day: int = 20
    logins_a_minute: int = 100
    """Of one user."""
    verification_lifetime: int = 1 * HOUR
    session_key_lifetime: int = 3 * DAY
    """A guess: documents tell that use prolongs it, and not how long it is."""
    phone_code_lifetime: int = 5 * MINUTE
    allowed_addresses: frozenset[str] | None = None
    """The IP white list for fetching tokens; None is no list."""
    refusal_leads_back: bool = True
    """Whoever refuses a website is sent back to it without a code, as older documents say; newer ones send nobody."""
    tells_union_id: bool = True
    """Websites are told the unionid."""


class AlipayRules(Struct, frozen=True, kw_only=True):
    """How Alipay behaves. Times in milliseconds."""

    code_lifetime: int = 24 * HOUR
    access_lifetime: int = 500 * SECOND
    refresh_lifetime: int = 300 * SECOND
    """As seen for the scope ``auth_base``: the refresh token lives shorter than the access token."""
    tells_user_id: bool = False
    """Older apps are told the global user_id beside the open_id."""
    numbers_as_text: bool = False
    """Some answers carry ``expires_in`` as text."""
    certification_lifetime: int = 23 * HOUR
    verdict_lifetime: int = 90 * DAY


class BaiduRules(Struct, frozen=True, kw_only=True):
    """How Baidu behaves. Times in milliseconds."""

    code_lifetime: int = 5 * MINUTE
    session_key_lifetime: int = 3 * DAY
    """A guess: documents tell that use prolongs it, and not how long it is."""
    token_lifetime: int = 30 * DAY
    dialect: Literal["errno", "oauth"] = "errno"
    """The shape of errors at the newer address; the older one always answers in the OAuth shape."""
    verification_lifetime: int = 2 * HOUR
    verdict_lifetime: int = 3 * DAY
    retry_after_failure: bool = True
    """The plan's setting 认证未通过时URL不失效: one verify_token may hold several attempts."""
    threshold: float = 80.0
    tells_user_id: bool = False
    """Older websites are told a number in place of the openid."""


class NationalRules(Struct, frozen=True, kw_only=True):
    """How the stand-in for 国家政务服务平台 behaves. Times in milliseconds."""

    code_lifetime: int = 5 * MINUTE
    cipher: Literal["aes", "sm4"] = "aes"
    seals_users: bool = False
    """What is told of a user is encrypted as a whole, and not the number of the document alone."""
    users: frozenset[str] = frozenset()
    """The persons, by their ids, who are users before anybody makes them."""


class ChuanglanRules(Struct, frozen=True, kw_only=True):
    """How Chuanglan behaves. Times in milliseconds."""

    requests_a_second: int = 100
    balance: int = 1_000_000
    """Messages paid for."""
    sensitive_words: frozenset[str] = frozenset({"发票", "贷款"})
    allowed_addresses: frozenset[str] | None = None
    """The IP white list; None is no list."""
    templates: dict[str, str] = field(
        default_factory=lambda: {"1000000001": "您的验证码是{param1}，五分钟内有效，请勿告诉他人。"}
    )
    """The registered templates of v2 by their ids, with a ``{name}`` for each value."""
    timestamp_tolerance: int = 5 * MINUTE
    """How far the time of a v2 call may be off, either way; a guess."""


class BankRules(Struct, frozen=True, kw_only=True):
    """How the bank behaves."""

    calls_a_second: int = 20
    """Beyond them it says that it is busy."""


class SandboxSettings(Struct, frozen=True, kw_only=True):
    """Everything :func:`bjidp.sandbox.app.build` needs."""

    clock: Clock
    entropy: Entropy
    credentials: SandboxCredentials
    base_url: str
    """Where people and servers reach this sandbox; only told in the start-up warning."""
    server_url: str
    """Where the identity server listens that the phone simulator talks to."""
    server_host: str | None = None
    """The ``Host`` to call it under, where it differs from ``server_url``."""
    server_tls: ssl.SSLContext | None = None
    """What trusts the server's certificate, if it was made on the spot."""
    portal_url: str | None = None
    """The site beside it that logs its people in at the server."""
    mail: socket.socket | None = None
    """A bound socket for the mail server; without one there is none. Taken over, and closed at the end."""
    wechat: WechatRules = field(default_factory=WechatRules)
    alipay: AlipayRules = field(default_factory=AlipayRules)
    baidu: BaiduRules = field(default_factory=BaiduRules)
    national: NationalRules = field(default_factory=NationalRules)
    chuanglan: ChuanglanRules = field(default_factory=ChuanglanRules)
    bank: BankRules = field(default_factory=BankRules)
