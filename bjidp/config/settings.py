"""What can be set, section by section.

Owns the names, types, defaults and meanings. Durations are seconds. A field without a default has to be given.
The sections of outside services are the settings of their clients, in ``vendors.settings``.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from bjidp.secret import Secret
from bjidp.store_addresses import KEY_PREFIX
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

Environment = Literal["production", "demo"]


class Unread(Exception):
    """A setting was asked for that could not be read: only while faults are gathered, never of loaded settings."""


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the server is reached and how it runs."""

    base_url: str
    """Public address; scheme, host and port of every page, cookie and QR code follow from it."""
    environment: Environment = "production"
    """``demo`` serves the synthetic persons of the sandbox and nobody else; ``production`` the reverse."""
    listen_host: str = "127.0.0.1"
    listen_port: int = 8080
    workers: int = 1
    """Processes. More than one need Redis."""
    tls_certificate: str | None = None
    """PEM file of the certificate chain, when no proxy in front speaks TLS."""
    tls_key: str | None = None
    """PEM file of its private key."""
    load: bool = False
    """Lifts the limits per network address, for measurements."""
    client_name: str = "首都之窗"
    """The site a login on our own page is for, as the phone shows it."""
    portal_url: str | None = None
    """Where 返回 leads."""
    simulator_url: str | None = None
    """Origin of the phone simulator of a demonstration."""
    outside_hosts: list[str] = []
    """Hosts beside the vendors' own that production may ask for a platform, such as a gateway in between."""


class Storage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where state is kept."""

    database_url: str
    """``sqlite:///path`` or ``postgresql+psycopg://user@host/name``."""
    redis_url: str | None = None
    """``redis://host:port/0``. Without one, short-lived state is kept in the process."""
    redis_prefix: str = KEY_PREFIX
    """Begins every key and channel in Redis, so that several systems may share one; letters, digits and ``:._-``."""


class Keys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root keys, from which every other key is derived."""

    roots: dict[str, Secret]
    """Version number to 32 random bytes in base64."""
    current: int | None = None
    """The version that seals and looks up, by default the highest; the others still open."""


class Qr(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The QR channel."""

    reverse_code: Literal["never", "mismatch", "always"] = "mismatch"
    """When two digits shown on the phone have to be typed on the computer."""
    scan_seconds: int = 60
    confirm_seconds: int = 60
    redeem_seconds: int = 30
    launch_scenes: dict[str, list[int]] = field(default_factory=lambda: {"wechat": [1011, 1047]})
    """Launch scenes of each platform that are a live camera."""


class Sessions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Browser sessions."""

    lifetime_seconds: int = 43_200


class Accounts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Accounts."""

    link_probation_hours: int = 72
    """How long a link made by recovery may not change the account without another proof."""


class Oidc(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The OpenID provider."""

    series: int = 1
    """Of the keys that sign ID tokens: raised by one when a key got out, and every key from then on is another."""


class Beijing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The city's own interface, for sites that are integrated with it already."""

    enabled: bool = False


class Networks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of networks."""

    trusted_proxies: list[str] = []
    """Networks whose ``X-Forwarded-For`` is believed."""
    shared: list[str] = []
    """Networks behind which many people sit: their address limits are tenfold."""
    area_database: str | None = None
    """A MaxMind-format file that tells the area of an address."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything."""

    server: Server
    storage: Storage
    keys: Keys
    authority: AuthoritySettings
    qr: Qr = Qr()
    sessions: Sessions = Sessions()
    accounts: Accounts = Accounts()
    networks: Networks = Networks()
    oidc: Oidc = Oidc()
    beijing: Beijing = Beijing()
    wechat: WechatSettings | None = None
    alipay: AlipaySettings | None = None
    baidu: BaiduSettings | None = None
    chuanglan: ChuanglanSettings | None = None
    chuanglan_second: ChuanglanSettings | None = None
    """Another account, which sends when the first cannot."""
    mail: MailSettings | None = None
    bank: BankSettings | None = None
    """Without one nobody is proved by a bank card."""
    business_register: BusinessRegisterSettings | None = None
    """Without one no organisation is registered."""
    national_login: NationalLoginSettings | None = None
    """Without one nobody logs in by 国家政务服务平台; and so for the three logins below."""
    national_register: NationalRegisterSettings | None = None
    """Without one nobody who registers is asked whether they want to become a user of 国家政务服务平台 too."""
    alipay_login: AlipayLoginSettings | None = None
    wechat_login: WechatLoginSettings | None = None
    baidu_login: BaiduLoginSettings | None = None
