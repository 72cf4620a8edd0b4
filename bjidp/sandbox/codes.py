"""One-use login codes, as each platform hands them to its mini-programs.

A used code stays known until it would have expired, because WeChat answers a used code otherwise than an unknown one.
Redeeming looks and marks in one uninterrupted step, so of two concurrent redeems one wins.
"""

from __future__ import annotations

from dataclasses import dataclass

from bjidp.sandbox.clock import Clock, Instant
from bjidp.sandbox.expiring import Expiring


class CodeUnknown(Exception):
    """Never issued, or its time is over."""


class CodeUsed(Exception):
    """Redeemed before."""


@dataclass(slots=True)
class _Code:
    user: str
    used: bool = False


class LoginCodes:
    """The codes of one mini-program on one platform."""

    def __init__(self, clock: Clock, lifetime: int) -> None:
        """Let each code live ``lifetime`` milliseconds."""
        self._clock = clock
        self._lifetime = lifetime
        self._codes: Expiring[_Code] = Expiring()

    def issue(self, code: str, user: str) -> None:
        """Make ``code`` good for one login of ``user``, the platform's name for a person."""
        now: Instant = self._clock.now()
        self._codes.put(code, _Code(user), until=now + self._lifetime, now=now)

    def redeem(self, code: str) -> str:
        """Use the code up and return its user; raise :class:`CodeUnknown` or :class:`CodeUsed`."""
        found = self._codes.get(code, self._clock.now())
        if found is None:
            raise CodeUnknown
        if found.used:
            raise CodeUsed
        found.used = True
        return found.user
