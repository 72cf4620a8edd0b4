"""One person after the other at the kiosk.

Owns a visit from the code on the screen to the end of the login, and when the server is asked again: never sooner than
it wants to be. A visit is known by an unguessable name that the page at the screen alone has.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from msgspec import Struct, field

from bjidp.sandbox.clock import SECOND, Clock
from bjidp.sandbox.entropy import Entropy, base64url
from bjidp.sandbox.kiosk import frames
from bjidp.sandbox.kiosk.provider import WAITING, Codes, Person, Provider, Refused

KEPT: Final = 20 * 60 * SECOND
"""How long a visit that nobody looks at is kept."""
LONGER: Final = 5.0
"""Seconds that every ``slow_down`` adds (RFC 8628, section 3.5)."""
MOST: Final = 64
"""Visits at once: more screens than a hall has."""


class Waiting(Struct, frozen=True, tag="waiting", tag_field="state"):
    """The code to show now, and seconds left of its time."""

    picture: str
    text: str
    user_code: str
    address: str
    left: int


class Welcome(Struct, frozen=True, tag="welcome", tag_field="state"):
    """Somebody is logged in."""

    name: str
    level: str


class Over(Struct, frozen=True, tag="over", tag_field="state"):
    """Nothing came of it: ``refused``, ``expired`` or ``unreachable``."""

    reason: str


Shown: TypeAlias = Waiting | Welcome | Over

_REASONS: Final = {"access_denied": "refused", "expired_token": "expired"}


class _Visit(Struct):
    codes: Codes
    begun_at: int
    asked_at: int
    interval: float
    person: Person | None = None
    over: Over | None = None
    drawn: tuple[str, str] = field(default=("", ""))


class Visits:
    """The visits there are."""

    def __init__(self, provider: Provider, clock: Clock, entropy: Entropy) -> None:
        """Log people in by ``provider``."""
        self._provider = provider
        self._clock = clock
        self._entropy = entropy
        self._visits: dict[str, _Visit] = {}

    async def begin(self) -> str:
        """Begin a visit; return its name. Raises :class:`Refused`."""
        now = self._clock.now()
        for name in [name for name, visit in self._visits.items() if now - visit.begun_at > KEPT]:
            del self._visits[name]
        if len(self._visits) >= MOST:
            raise Refused("unreachable")
        codes = await self._provider.codes()
        now = self._clock.now()
        name = base64url(self._entropy.octets(16))
        self._visits[name] = _Visit(codes, now, now, codes.interval)
        return name

    async def look(self, name: str) -> Shown | None:
        """Return what the screen shows now; None for a visit that is none."""
        visit = self._visits.get(name)
        if visit is None:
            return None
        now = self._clock.now()
        if visit.person is None and visit.over is None and now - visit.asked_at >= visit.interval * SECOND:
            visit.asked_at = now
            await self._ask(visit)
        if visit.person is not None:
            return Welcome(visit.person.name, visit.person.level)
        return visit.over or self._waiting(visit, now)

    async def leave(self, name: str) -> None:
        """End a visit, and the login that came of it."""
        visit = self._visits.pop(name, None)
        if visit is not None and visit.person is not None:
            await self._provider.leave(visit.person.token)

    async def _ask(self, visit: _Visit) -> None:
        try:
            visit.person = await self._provider.person(visit.codes)
        except Refused as refused:
            if refused.error == "slow_down":
                visit.interval += LONGER
            elif refused.error not in WAITING and refused.error != "unreachable":
                visit.over = Over(_REASONS.get(refused.error, "unreachable"))

    def _waiting(self, visit: _Visit, now: int) -> Waiting:
        seconds = (now - visit.begun_at) / SECOND
        codes = visit.codes
        words = frames.text(codes.verification_uri_complete, codes.qr, seconds)
        if visit.drawn[0] != words:
            visit.drawn = (words, frames.picture(words))
        left = max(0, round(codes.expires_in - seconds))
        return Waiting(visit.drawn[1], words, codes.user_code, codes.verification_uri, left)
