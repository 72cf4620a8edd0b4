"""How an account stands, and a platform link of it: what every way in has to know of them.

Owns the noun below the features, since sessions carry it and accounts own what it is made from.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final, Protocol

from msgspec import Struct

from bjidp.clock import Instant
from bjidp.errors import AccountRefused, TokenInvalid


class Status(StrEnum):
    """Whether an account may be used."""

    ACTIVE = "active"
    LOCKED = "locked"
    CANCELLED = "cancelled"


class Level(IntEnum):
    """How well an account's identity is proved, least first; L1 is an account without one."""

    L1 = 1
    L2 = 2
    L3 = 3
    L4 = 4


MAY_LOG_IN: Final = Status.ACTIVE
"""The one status that every way in lets pass (attack Q21): :attr:`Standing.refusal`, and conditions of SQL."""


class Standing(Struct, frozen=True):
    """What a login needs to know of an account; ``name`` is masked already.

    ``epoch`` rises whenever sessions of the account are ended: what a phone confirmed in an earlier one logs nobody in
    (ADR 0015). Sessions in browsers that were opened before the epoch ``fence`` are over, all but ``kept`` (ADR 0017).
    """

    account: str
    ref: str
    status: Status
    name: str
    level: Level
    epoch: int = 0
    fence: int = 0
    kept: str | None = None

    @property
    def refusal(self) -> str | None:
        """Why this account may not log in, or None."""
        return None if self.status is MAY_LOG_IN else self.status

    def counts(self, session: str, epoch: int) -> bool:
        """Tell whether a session in a browser that was opened in ``epoch`` is none of those that are over."""
        return epoch >= self.fence or session == self.kept


class PlatformLink(Protocol):
    """What is known of a platform identity that stands for an account."""

    @property
    def probation_until(self) -> Instant | None:
        """Until when it may not change the account; None if it was not made by recovery."""
        ...


def require_settled(link: PlatformLink | None, now: Instant) -> None:
    """Refuse the account to a link that may not change it, nor prove who will: a face alone has made it (attack R4).

    Raises ``AccountRefused`` under probation, and ``TokenInvalid`` for a link that was replaced or removed since its
    session was looked at.
    """
    if link is None:
        raise TokenInvalid
    if link.probation_until is not None and now < link.probation_until:
        raise AccountRefused("probation")
