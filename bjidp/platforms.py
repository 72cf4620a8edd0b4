"""The platforms a mini-program runs on, those whose users may log in to pages, and how either names its users.

Owns the nouns below the features, since the vendors' ports, features, stores and the web all speak of them.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Platform(StrEnum):
    """Where the mini-program runs."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    BAIDU = "baidu"


class PlatformIdentity(Struct, frozen=True):
    """A user of a platform as this mini-program sees them: an openid means nothing without its app (attack M4)."""

    platform: Platform
    app_id: str
    open_id: str

    def __repr__(self) -> str:
        """Show the platform alone: an openid is personal data."""
        return f"PlatformIdentity({self.platform}, ***)"


class Provider(StrEnum):
    """Whose users log in to pages by an account that they have there, in the order that pages show them (LOG-4)."""

    NATIONAL = "national"
    """国家政务服务平台."""
    ALIPAY = "alipay"
    WECHAT = "wechat"
    BAIDU = "baidu"


class ExternalKind(StrEnum):
    """What sort of name a provider has for its user."""

    OPEN_ID = "open_id"
    """Of one app."""
    UNION_ID = "union_id"
    """Of all apps of one owner."""
    USER_ID = "user_id"
    """Of the provider's own, the same to every app."""


class ExternalIdentity(Struct, frozen=True):
    """A provider's user. A name means nothing without its kind and the app that it was told to (attack T9)."""

    provider: Provider
    app_id: str
    """Empty for a name that is the same to every app."""
    kind: ExternalKind
    value: str

    def __repr__(self) -> str:
        """Show the provider alone: the name is personal data."""
        return f"ExternalIdentity({self.provider}, ***)"
