"""What an ID token says.

Owns its claims (OpenID Connect Core, section 2). It tells who, for which organisation, how well proved, how and when,
and nothing else that could be read at userinfo: it travels through browsers as a hint later on. Pure; signed by
``signing``.
"""

from __future__ import annotations

import hashlib
from typing import Final

from bjidp.clock import MINUTE, SECOND, Instant, Millis
from bjidp.entropy import base64url
from bjidp.oidc.claims import ActsFor, delegation
from bjidp.oidc.grants.code import Approval

LIFETIME: Final[Millis] = 10 * MINUTE
"""How long it may be taken for a login: it is read once, when it arrives."""

TYPE: Final = "JWT"


def claims_of(
    approval: Approval,
    *,
    issuer: str,
    subject: str,
    acts_for: ActsFor | None,
    sid: str,
    access_token: str,
    now: Instant,
) -> dict[str, object]:
    """Return the claims for ``subject``, as ``sid`` to the relying party, beside an access token."""
    claims: dict[str, object] = {
        "iss": issuer,
        "sub": subject,
        "aud": approval.client,
        "iat": now // SECOND,
        "exp": (now + LIFETIME) // SECOND,
        "auth_time": approval.authentication.at // SECOND,
        "acr": approval.authentication.level.name,
        "amr": list(approval.authentication.methods),
        "sid": sid,
        "at_hash": half_hash(access_token),
    }
    if approval.nonce is not None:
        claims["nonce"] = approval.nonce
    return claims | delegation(subject, acts_for)


def half_hash(token: str) -> str:
    """Return the left half of the SHA-256 of a token, in base64url (OpenID Connect Core, section 3.1.3.6)."""
    return base64url(hashlib.sha256(token.encode("ascii")).digest()[:16])
