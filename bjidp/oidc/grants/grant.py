"""A grant: what one relying party may do for one account, from an approval until it ends.

Owns the noun. Tokens name a grant and nothing else, so what ends it ends them all: a log-out, a withdrawn consent, a
replayed code or refresh token, a lock, a new password. Pure but for the names it draws.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from bjidp.clock import Instant, Millis
from bjidp.entropy import Entropy, token
from bjidp.oidc.grants import refreshing
from bjidp.oidc.grants.code import Approval
from bjidp.oidc.grants.refreshing import Family
from bjidp.oidc.scopes import Scope


class GrantEnd(StrEnum):
    """Why a grant ended before its time, as the audit log has it."""

    REPLAYED_CODE = "replayed_code"
    """Its code was exchanged a second time (attack T5)."""
    LOST_RACE = "lost_race"
    """Another exchange of its code was faster: nothing of it was ever given."""
    TOO_LATE = "too_late"
    """Session or agreement ended while its code was exchanged: nothing of it was ever given."""
    REUSED_TOKEN = "reused_token"  # noqa: S105 - a code word
    """A refresh token of it was used a second time (attack T7)."""
    REVOKED = "revoked"
    """The relying party gave it back (RFC 7009)."""
    WITHDRAWN = "withdrawn"
    """Its owner does not want the relying party to read any more."""
    SESSION_OVER = "session_over"
    CLIENT_REMOVED = "client_removed"
    """The relying party is none any more."""
    REPRESENTATION_OVER = "representation_over"
    """Between the agreement and the exchange of its code its owner could no more act for the organisation."""
    UNDONE = "undone"
    """Its owner has not confirmed it for a device, or took that back (attack P7)."""
    CHOSEN = "chosen"
    """Its owner ended the login of a device from another one (SES-1)."""


UNGIVEN: Final = frozenset({GrantEnd.LOST_RACE, GrantEnd.TOO_LATE, GrantEnd.REPRESENTATION_OVER, GrantEnd.UNDONE})
"""Ends of grants that no token was ever given for: the relying party does not know of them."""


class Grant(Struct, frozen=True, kw_only=True):
    """One grant; ``family`` counts its refresh tokens, None where it has none and ends with its session."""

    id: str
    approval: Approval
    subject: str
    """Whom the relying party knows the account as, once the grant is kept; before that, the name it gets if it has
    none yet in the relying party's sector (OpenID Connect Core, section 8)."""
    family: Family | None
    created_at: Instant
    expires_at: Instant


def fresh(
    approval: Approval, session_lifetime: Millis, entropy: Entropy, now: Instant, grant_id: str | None = None
) -> Grant:
    """Return a grant that begins now, under ``grant_id`` if it has a name already.

    One without refresh tokens lives at most as long as a session.
    """
    away = Scope.OFFLINE_ACCESS in approval.scopes
    family = refreshing.begun(now) if away else None
    return Grant(
        id=grant_id or token(entropy, 128),
        approval=approval,
        subject=token(entropy, 128),
        family=family,
        created_at=now,
        expires_at=now + session_lifetime if family is None else family.ends_at,
    )
