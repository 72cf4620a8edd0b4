"""How an account stands: what every way in has to know of it.

Owns the noun below the features, since sessions carry it and accounts own what it is made from.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

from msgspec import Struct


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
    """What a login needs to know of an account; ``name`` is masked already."""

    account: str
    ref: str
    status: Status
    name: str
    level: Level

    @property
    def refusal(self) -> str | None:
        """Why this account may not log in, or None."""
        return None if self.status is MAY_LOG_IN else self.status
