"""What the site offers, and what each of it asks the identity server for.

A closed list: no address of a visitor's choice is ever led to after a login.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

LEVELS: Final = {"L1": "未实名", "L2": "初级认证", "L3": "中级认证", "L4": "高级认证"}
"""The levels by the names that people know."""


class Service(Struct, frozen=True):
    """One thing people come for."""

    path: str
    name: str
    scopes: frozenset[str]
    level: str | None = None
    """The least level of a login for it."""

    @property
    def kept(self) -> frozenset[str]:
        """What the next login asks for again; for whom somebody acts is chosen anew at each that asks."""
        return self.scopes - {REPRESENTING}

    def missing(self, scopes: frozenset[str], level: str) -> bool:
        """Tell whether a login that gave ``scopes`` at a ``level`` is not enough."""
        return not self.scopes <= scopes or (self.level is not None and level < self.level)


REPRESENTING: Final = "organisation"

AWAY: Final = "offline_access"
"""The scope by which a site reads on while the person is away; it is given with a fresh consent alone (OpenID Connect
Core, section 11), so that a site which asks for it at every login would ask at every login."""

_ORDER: Final = ("openid", "profile", "phone", "identity", REPRESENTING, AWAY)
"""In which scopes are asked for, and so shown to whoever agrees: from what every site reads to what few do."""

_BASIC: Final = frozenset({"openid", "profile", "phone"})

SERVICES: Final = {
    "me": Service("/me", "用户中心", _BASIC),
    "fund": Service("/services/fund", "住房公积金提取", _BASIC | {"identity"}, "L3"),
    "reminders": Service("/services/reminders", "办件进度提醒", _BASIC | {AWAY}),
    "company": Service("/services/company", "企业年度报告", _BASIC | {REPRESENTING}),
}


def in_order(scopes: frozenset[str]) -> str:
    """Return scopes as they are asked for."""
    return " ".join(scope for scope in _ORDER if scope in scopes)


def metadata(base_url: str) -> dict[str, object]:
    """Return what the portal registers with an identity server (RFC 7591)."""
    return {
        "client_name": "首都之窗",
        "client_uri": f"{base_url}/",
        "redirect_uris": [f"{base_url}/login/callback"],
        "post_logout_redirect_uris": [f"{base_url}/logged-out"],
        "backchannel_logout_uri": f"{base_url}/backchannel-logout",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": " ".join(_ORDER),
    }
