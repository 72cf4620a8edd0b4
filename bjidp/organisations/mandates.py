"""A mandate: what a 法定代表人 offers to whoever has a phone number, and what becomes of it. Pure.

Owns the states and the moves between them. An offer that nobody takes lapses and a mandate expires by its stored times
alone; neither is ever written. The store compares and sets: it asks these rules under its lock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from bjidp.clock import DAY, HOUR, SECOND, Instant, Millis
from bjidp.errors import RateLimited
from bjidp.organisations.errors import MandatesFull

OPEN: Final[Millis] = 14 * DAY
"""How long an offer waits for an answer."""

LONGEST: Final = timedelta(days=3 * 366)
"""How far ahead a mandate may end: nobody's stays for good because it was forgotten."""

A_DAY: Final = 20
"""Offers of one organisation in 24 hours: each is a message to somebody who did not ask for it."""

AGAIN: Final[Millis] = DAY
"""How long after an offer an organisation makes no other to the same number, whatever became of it: who has declined is
not to be asked until they give in, and who withdraws it to offer it again would be sending messages."""

LIVE: Final = 50
"""Offers and mandates that one organisation has at a time."""

_BEIJING_OFFSET: Final = 8 * HOUR
_EPOCH: Final = date(1970, 1, 1)
_PLACE: Final = re.compile(r"([1-9][0-9]{0,17})\.([A-Za-z0-9_-]{22})")


HISTORY: Final = 20
"""Mandates that are over, on a page."""


class Scope(StrEnum):
    """What an agent may do; words under ``organisation.scope.*``. What each means to a service, the service knows."""

    ALL = "all"
    """全部事项."""
    FILING = "filing"
    """办事申报."""
    QUERY = "query"
    """信息查询."""


class By(StrEnum):
    """Who, or what, has ended a mandate."""

    REPRESENTATIVE = "representative"
    AGENT = "agent"
    """By an offer that was declined, too."""
    REPLACED = "replaced"
    """The agent has taken another mandate of the same organisation."""


class State(StrEnum):
    """How a mandate stands; words under ``organisation.state.*``."""

    OFFERED = "offered"
    LAPSED = "lapsed"
    """Nobody took it in its time."""
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    ENDED = "ended"


class Offered(Struct, frozen=True):
    """Nobody has answered."""


class Accepted(Struct, frozen=True):
    """The agent's account, and since when it has the identity of the person who accepted."""

    agent: str
    bound_at: Instant
    at: Instant


class Ended(Struct, frozen=True):
    """Over before its time; ``was`` tells who had accepted it, if anybody had."""

    by: By
    at: Instant
    was: Accepted | None


Phase: TypeAlias = Offered | Accepted | Ended


class Made(Struct, frozen=True):
    """An offer or a mandate of an organisation, as far as the next offer depends on it."""

    offered_at: Instant
    live: bool
    """It is open or in force."""
    same: bool
    """It is to the number of the next offer."""


class AlreadyAppointed(Exception):
    """The organisation has an offer or a mandate for this number."""


class OfferedLately(Exception):
    """The organisation has made an offer to this number that is over, less than :data:`AGAIN` ago."""


class MandateOver(Exception):
    """It is accepted, over or ended by now: there is nothing of this kind to be done with it."""


class Place(Struct, frozen=True):
    """Where a mandate stands in a history: what comes after it is older. It names nobody, and may be in an address."""

    offered_at: Instant
    id: str

    @classmethod
    def read(cls, text: str) -> Place | None:
        """Return the place that :meth:`__str__` has written, None for another text."""
        found = _PLACE.fullmatch(text)
        return None if found is None else cls(int(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.offered_at}.{self.id}"


class Mandate(Struct, frozen=True, kw_only=True):
    """A mandate. ``phone`` is eleven digits."""

    id: str
    organisation: str
    scope: Scope
    phone: str
    offered_at: Instant
    ends_at: Instant
    phase: Phase

    def state(self, now: Instant) -> State:
        """Tell how it stands."""
        match self.phase:
            case Offered():
                return State.OFFERED if now < self.answer_by else State.LAPSED
            case Accepted():
                return State.ACCEPTED if now < self.ends_at else State.EXPIRED
            case Ended():
                return State.ENDED

    def is_live(self, now: Instant) -> bool:
        """Tell whether it is open or in force."""
        return self.state(now) in {State.OFFERED, State.ACCEPTED}

    @property
    def answer_by(self) -> Instant:
        """Until when it can be accepted."""
        return min(self.offered_at + OPEN, self.ends_at)

    @property
    def agent(self) -> str | None:
        """The account that has accepted it, if any has."""
        match self.phase:
            case Accepted(agent=agent) | Ended(was=Accepted(agent=agent)):
                return agent
            case _:
                return None

    @property
    def place(self) -> Place:
        """Where it stands among others."""
        return Place(self.offered_at, self.id)

    def __repr__(self) -> str:
        """Leave the number out."""
        return f"Mandate({self.id!r}, {self.scope}, {type(self.phase).__name__}, ***)"


def accept(mandate: Mandate, agent: str, bound_at: Instant, now: Instant) -> Mandate:
    """Return the mandate once ``agent`` has accepted it; raise :class:`MandateOver` unless it is open."""
    if mandate.state(now) is not State.OFFERED:
        raise MandateOver
    return replace(mandate, phase=Accepted(agent, bound_at, now))


def end(mandate: Mandate, by: By, now: Instant) -> Mandate:
    """Return the mandate once it has ended; raise :class:`MandateOver` unless it is open or in force."""
    if not mandate.is_live(now):
        raise MandateOver
    return replace(mandate, phase=Ended(by, now, mandate.phase if isinstance(mandate.phase, Accepted) else None))


def ends_after(last: date) -> Instant:
    """Return the first moment, in Beijing, after the day ``last``."""
    return (last + timedelta(days=1) - _EPOCH).days * DAY - _BEIJING_OFFSET


def require_room(made: Sequence[Made], now: Instant) -> None:
    """Raise unless an organisation that has made these may make another offer.

    They are all that are live, and all of the last 24 hours. Raises :class:`AlreadyAppointed`, :class:`OfferedLately`,
    :class:`bjidp.organisations.errors.MandatesFull` and ``RateLimited``.
    """
    if any(one.same and one.live for one in made):
        raise AlreadyAppointed
    if any(one.same and one.offered_at > now - AGAIN for one in made):
        raise OfferedLately
    if sum(one.live for one in made) >= LIVE:
        raise MandatesFull
    pause = wait([one.offered_at for one in made], now)
    if pause is not None:
        raise RateLimited(-(-pause // SECOND))


def wait(offered: list[Instant], now: Instant) -> Millis | None:
    """Return how long an organisation waits before its next offer, having made ``offered``; None when it need not."""
    recent = sorted(at for at in offered if at > now - DAY)
    return None if len(recent) < A_DAY else recent[-A_DAY] + DAY - now
