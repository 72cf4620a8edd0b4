"""A relying party and a request of it that passes every check, for tests that break one thing at a time."""

from __future__ import annotations

import pytest

from bjidp.oidc.client import Client, GrantType
from bjidp.oidc.pkce import challenge_of
from bjidp.oidc.scopes import Scope

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
"""The one of RFC 7636, appendix B."""

CALLBACK = "https://portal.example/callback"


@pytest.fixture
def portal() -> Client:
    return Client(
        id="portal",
        name="首都之窗",
        home="https://portal.example/",
        redirect_uris=(CALLBACK, "https://portal.example/other"),
        grants=frozenset({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}),
        scopes=frozenset({Scope.OPENID, Scope.PROFILE, Scope.IDENTITY, Scope.OFFLINE_ACCESS}),
        sector="portal.example",
    )


@pytest.fixture
def sound() -> dict[str, str]:
    return {
        "client_id": "portal",
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": "af0ifjsldkj",
        "nonce": "n-0S6_WzA2Mj",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }
