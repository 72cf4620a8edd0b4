"""Who is logged in at the portal, and who is on the way.

Owns the portal's own sessions. They live as long as the program: a demonstration that starts again sends people to log
in again, which is one click while the server knows them. Called by ``app``, ``entering`` and ``visitors``.
"""

from __future__ import annotations

import asyncio
from typing import Final

from msgspec import Struct, field

from bjidp.sandbox.clock import HOUR, MINUTE, Clock, Instant
from bjidp.sandbox.entropy import Entropy, base64url
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.portal.logins import Ended, LoggedIn, Started

LIFETIME: Final = 12 * HOUR
ON_THE_WAY: Final = 30 * MINUTE
"""How long a person may take at the server."""


class OnTheWay(Struct, frozen=True):
    """A login that somebody is sent away for: with which browser, and for which service."""

    started: Started
    browser: str
    service: str


class Session(Struct):
    """Somebody who is logged in."""

    csrf: str
    login: LoggedIn
    until: Instant
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Whose turn it is to refresh: a refresh token that is used twice ends everything."""


class Sessions:
    """All of them."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        """Nobody is logged in."""
        self._clock = clock
        self._entropy = entropy
        self._open: dict[str, Session] = {}
        self._told: Expiring[bool] = Expiring()
        self._away: Expiring[OnTheWay] = Expiring()
        self._leaving: Expiring[bool] = Expiring()

    def word(self) -> str:
        """Return a word that nobody can guess."""
        return base64url(self._entropy.octets(32))

    def send(self, away: OnTheWay) -> None:
        """Remember who is sent to the server."""
        now = self._clock.now()
        self._away.put(away.started.state, away, until=now + ON_THE_WAY, now=now)

    def back(self, state: str, browser: str) -> OnTheWay | None:
        """Return who has come back, once, if it is the browser that was sent."""
        now = self._clock.now()
        away = self._away.get(state, now)
        if away is None or away.browser != browser:
            return None
        self._away.take(state, now)
        return away

    def open(self, login: LoggedIn) -> str:
        """Let somebody in; return the cookie's value."""
        now = self._clock.now()
        self._open = {name: session for name, session in self._open.items() if now < session.until}
        name = self.word()
        self._open[name] = Session(self.word(), login, now + LIFETIME)
        return name

    def find(self, name: str) -> Session | None:
        """Return a session that is open."""
        found = self._open.get(name)
        return found if found is not None and self._clock.now() < found.until else None

    def end(self, name: str) -> None:
        """End one."""
        self._open.pop(name, None)

    def end_told(self, ended: Ended) -> None:
        """End those that the server says have ended; whoever comes with one is told."""
        now = self._clock.now()
        for name, session in list(self._open.items()):
            login = session.login
            theirs = ended.subject is None or login.subject == ended.subject
            if theirs and (ended.sid is None or login.sid == ended.sid):
                del self._open[name]
                self._told.put(name, value=True, until=session.until, now=now)

    def was_told(self, name: str) -> bool:
        """Tell whether the server has ended a session; said once."""
        return self._told.take(name, self._clock.now()) is not None

    def leave(self) -> str:
        """Return the state of somebody who is on the way out everywhere."""
        now, state = self._clock.now(), self.word()
        self._leaving.put(state, value=True, until=now + ON_THE_WAY, now=now)
        return state

    def has_left(self, state: str) -> bool:
        """Tell whether somebody comes back from logging out everywhere; said once."""
        return self._leaving.take(state, self._clock.now()) is not None
