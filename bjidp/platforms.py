"""The platforms a mini-program runs on, and their users.

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
