"""A login at the portal, from its beginning to its end, as the other modules hand it on.

Owns the nouns, and the words for what goes wrong that are the portal's own or that several modules look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

OVER: Final = "invalid_token"
"""The access token is over: by its time, or since what it came of has ended (RFC 6750, section 3.1)."""

UNREACHABLE: Final = "unreachable"
REFUSED: Final = "refused"


class LoginFailed(Exception):
    """The server, or what came from it, does not lead to a login; ``code`` is the protocol's word or one of ours."""

    def __init__(self, code: str) -> None:
        """Say why, in a word that the pages have a text for."""
        super().__init__(code)
        self.code = code


class Started(Struct, frozen=True):
    """A request that is on its way with a person."""

    url: str
    state: str
    nonce: str
    verifier: str


class LoggedIn(Struct, frozen=True):
    """Who came back, and what may be read of them."""

    claims: Mapping[str, Any]
    """Of the ID token, verified."""
    userinfo: Mapping[str, Any]
    tokens: Mapping[str, Any]
    scopes: frozenset[str]

    def __repr__(self) -> str:
        return "LoggedIn(***)"

    @property
    def subject(self) -> str:
        """Who it is, by the name that the server gave this site."""
        return str(self.claims["sub"])

    @property
    def sid(self) -> str | None:
        """The session at the server that it came of."""
        found = self.claims.get("sid")
        return None if found is None else str(found)

    @property
    def level(self) -> str:
        """The level of the login."""
        return str(self.claims.get("acr", "L1"))


class Ended(Struct, frozen=True):
    """What a log-out token says has ended: one session at the server, or all of a person."""

    subject: str | None
    sid: str | None
