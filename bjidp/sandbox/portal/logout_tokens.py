"""What a log-out token has to say to be believed (OpenID Connect Back-Channel Logout 1.0, section 2.6).

Owns its claims, and that each token counts once; whose signature it has was looked at before. Called by ``provider``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bjidp.sandbox.clock import MINUTE, SECOND, Clock
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.portal.logins import REFUSED, Ended, LoginFailed

LOGGED_OUT: Final = "http://schemas.openid.net/event/backchannel-logout"
"""The event of a log-out token."""

LOGOUT_TYPE: Final = "logout+jwt"
"""Its type, where it says one (RFC 8725, section 3.11): an ID token is none."""

SKEW: Final = 2 * MINUTE
"""How far the server's clock may be off."""

LONGEST: Final = 10 * MINUTE
"""How long a log-out token may live: each is remembered that long."""


def is_of_log_outs(header: Mapping[str, Any]) -> bool:
    """Tell whether the ``header`` of a token says that it is one, or nothing."""
    return str(header.get("typ", LOGOUT_TYPE)).lower() == LOGOUT_TYPE


class LogoutTokens:
    """Reads them."""

    def __init__(self, issuer: str, client_id: str, clock: Clock) -> None:
        """Believe those of ``issuer`` for ``client_id``."""
        self._issuer = issuer
        self._client_id = client_id
        self._clock = clock
        self._used: Expiring[bool] = Expiring()

    def read(self, claims: Mapping[str, Any]) -> Ended:
        """Return what has ended; raise :class:`LoginFailed` for claims that are not to be believed, or came before."""
        now, subject, sid = self._clock.now(), claims.get("sub"), claims.get("sid")
        issued, ends, jti = (claims.get(name) for name in ("iat", "exp", "jti"))
        events, audience = claims.get("events"), claims.get("aud")
        sound = (
            claims.get("iss") == self._issuer
            and self._client_id in (audience if isinstance(audience, list) else [audience])
            and isinstance(issued, int)
            and isinstance(ends, int)
            and issued * SECOND <= now + SKEW
            and now - SKEW < ends * SECOND <= now + LONGEST + SKEW
            and isinstance(jti, str)
            and isinstance(events, dict)
            and isinstance(events.get(LOGGED_OUT), dict)
            and "nonce" not in claims
            and all(named is None or isinstance(named, str) for named in (subject, sid))
            and (subject is not None or sid is not None)
        )
        if not sound or self._used.get(str(jti), now):
            raise LoginFailed(REFUSED)
        self._used.put(str(jti), value=True, until=now + LONGEST + 2 * SKEW, now=now)
        return Ended(subject, sid)
