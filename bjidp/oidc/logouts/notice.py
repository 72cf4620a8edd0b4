"""What a relying party is told once a session is over, or an account (OpenID Connect Back-Channel Logout 1.0).

Owns the noun, what the token says and when another attempt is made. A notice is kept in the transaction of what it
tells of; its token is made at each attempt, since it lives for minutes and a notice for a day. Pure.
"""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec import Struct

from bjidp.clock import DAY, HOUR, MINUTE, SECOND, Instant, Millis
from bjidp.entropy import base64url
from bjidp.oidc.sids import sid

TYPE: Final = "logout+jwt"
"""Section 2.4: so that no other token of ours is taken for one (RFC 8725, section 3.11)."""

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"

LIFETIME: Final[Millis] = 2 * MINUTE
"""How long a token counts (section 4: at most two minutes)."""

TRIED_FOR: Final[Millis] = DAY
"""How long a relying party that does not answer is tried."""

_FIRST: Final[Millis] = 10 * SECOND
_LONGEST: Final[Millis] = HOUR


class LogoutNotice(Struct, frozen=True, kw_only=True):
    """One notice to one relying party, as an attempt finds it."""

    id: int
    client: str
    account_ref: str
    subject: str
    """Whom the relying party knows the account as, kept here since the account may be gone by now."""
    session: str | None
    """The session that is over; None for all that the relying party has of the subject."""
    created_at: Instant
    attempts: int
    """This one included."""
    due_at: Instant
    """When somebody else tries it, unless this attempt has told what came of it."""

    @property
    def jti(self) -> str:
        """The name of its token, the same at each attempt: who was told twice knows that it was told twice."""
        told = f"logout\0{self.client}\0{self.id}\0{self.created_at}"
        return base64url(hashlib.sha256(told.encode()).digest()[:16])


def claims_of(notice: LogoutNotice, *, issuer: str, now: Instant) -> dict[str, object]:
    """Return what the token of a notice says (section 2.4). It has no nonce, so it is no ID token for anybody."""
    claims: dict[str, object] = {
        "iss": issuer,
        "sub": notice.subject,
        "aud": notice.client,
        "iat": now // SECOND,
        "exp": (now + LIFETIME) // SECOND,
        "jti": notice.jti,
        "events": {EVENT: {}},
    }
    if notice.session is not None:
        claims["sid"] = sid(notice.client, notice.session)
    return claims


def next_attempt(notice: LogoutNotice, now: Instant) -> Instant | None:
    """Return when a notice is tried again after an attempt that failed; None when it is given up."""
    if now - notice.created_at >= TRIED_FOR:
        return None
    return now + pause_after(notice.attempts)


def pause_after(failures: int) -> Millis:
    """Return how long to wait after so many failures: twice as long each time, an hour at most."""
    return min(_FIRST << min(failures - 1, 16), _LONGEST)
