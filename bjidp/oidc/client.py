"""A relying party: how it is reached, what it may ask for, and how it proves who it is.

Owns the noun. Read from registration metadata by ``metadata``, kept by a ``ClientStore``, and asked by every
endpoint. Pure.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from bjidp.oidc.scopes import Scope
from bjidp.standing import Level


class GrantType(StrEnum):
    """The ways to tokens there are (RFC 7591, section 2)."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a way
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class Proof(StrEnum):
    """How a client proves who it is at the token endpoint (OpenID Connect Core, section 9)."""

    NONE = "none"
    """It cannot keep a secret: a terminal, a page's script. PKCE and the exact address are all that bind it."""
    CLIENT_SECRET_BASIC = "client_secret_basic"  # noqa: S105 - the name of a method
    PRIVATE_KEY_JWT = "private_key_jwt"


class SubjectType(StrEnum):
    """Who a relying party knows somebody as (OpenID Connect Core, section 8)."""

    PAIRWISE = "pairwise"
    """A name of its own, so that two sites cannot join their users."""
    PUBLIC = "public"


class Interface(StrEnum):
    """By what a relying party is integrated. One of either kind can use nothing of the other (RP-5)."""

    OPENID = "openid"
    BEIJING = "beijing"
    """The city's own interface (:mod:`bjidp.oidc.beijing`)."""


DEFAULT_GRANTS: Final = frozenset({GrantType.AUTHORIZATION_CODE})


class Client(Struct, frozen=True, kw_only=True):
    """One relying party."""

    id: str
    name: str
    """What people know it as; shown on the login page, on the phone and where they agree."""
    home: str
    """Its own address: what was registered, never what was asked."""
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    logout_by_session: bool = False
    """Whether it takes no notice without a session (``backchannel_logout_session_required``)."""
    grants: frozenset[GrantType] = DEFAULT_GRANTS
    proof: Proof = Proof.CLIENT_SECRET_BASIC
    keys: tuple[dict[str, str], ...] = ()
    """Public keys by which it signs (RFC 7517), for :attr:`Proof.PRIVATE_KEY_JWT`."""
    scopes: frozenset[Scope] = frozenset({Scope.OPENID})
    subjects: SubjectType = SubjectType.PAIRWISE
    sector: str = ""
    """The host under which subjects are made: clients of one sector know somebody by one name. A client on its user's
    own machine is a sector of its own, by its id."""
    level: Level = Level.L1
    """The least level a login here is good for; what a request asks for may be more, and never less."""
    interface: Interface = Interface.OPENID
    pushed_only: bool = False
    """Whether it has to push its requests (RFC 9126, section 6)."""

    def is_reached_at(self, redirect_uri: str) -> bool:
        """Tell whether somebody may be sent there: by exact comparison, character by character (attack T4)."""
        return redirect_uri in self.redirect_uris

    @property
    def domain(self) -> str:
        """The host of its own address, which people are shown beside its name."""
        return urlsplit(self.home).hostname or ""

    @property
    def reads_ethnicity(self) -> bool:
        """Whether the ethnic group is told to it: no scope stands for that, and the city's own interface tells it."""
        return self.interface is Interface.BEIJING

    @property
    def subject_sector(self) -> str:
        """The sector that knows somebody by one name; nothing for all clients with public subjects together."""
        return "" if self.subjects is SubjectType.PUBLIC else self.sector

    def may_ask_for(self, scope: Scope) -> bool:
        """Tell whether it is registered for ``scope``."""
        return scope in self.scopes
