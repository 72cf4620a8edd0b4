"""What a relying party asks for when it sends its user here.

Owns the noun: a request that passed every check, as it is kept while its person logs in, agrees, or proves more of
who they are. Pure.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from bjidp.oidc.client import Interface
from bjidp.oidc.scopes import Scope
from bjidp.standing import Level


class Prompt(StrEnum):
    """What has to be shown, whatever is known already (OpenID Connect Core, section 3.1.2.1)."""

    NONE = "none"
    """Nothing at all: what is missing is an error."""
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"


class AuthorizationRequest(Struct, frozen=True, kw_only=True):
    """One request of one client. No value of it is shown: ``state`` and ``nonce`` are the relying party's secrets."""

    client: str
    redirect_uri: str
    scopes: tuple[Scope, ...]
    interface: Interface = Interface.OPENID
    challenge: str
    """By S256 (:mod:`bjidp.oidc.pkce`)."""
    state: str | None = None
    nonce: str | None = None
    prompts: frozenset[Prompt] = frozenset()
    max_age: int | None = None
    """Seconds since the person last proved who they are at most."""
    level: Level = Level.L1
    """The least level that will do: the client's own, or the least of those the request names."""
    hint: str | None = None
    """The person it expects, as an ID token of ours names them to it (``id_token_hint``)."""

    def __repr__(self) -> str:
        return f"AuthorizationRequest(client={self.client!r})"
