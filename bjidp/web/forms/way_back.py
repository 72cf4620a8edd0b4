"""Where somebody goes on once they have done what a site asked of them.

Owns how that is kept: with the session, as an address that we have made ourselves, so that no link and no form says
where anybody is led (attack T4). It is forgotten when they get there, is good for as long as a site may have to wait,
and counts for nothing but what a site asks for: who comes back to 个人中心 by themselves is led to no site. Called by
the pages of the authorization endpoint, which keep it, and by those where levels are raised and people prove
themselves.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from bjidp.clock import MINUTE, Clock, Millis
from bjidp.errors import StoreUnavailable
from bjidp.sessions.ports import Session, StaleSession
from bjidp.sessions.service import Sessions
from bjidp.verification.proofs import Operation

GOOD_FOR: Final[Millis] = 30 * MINUTE
"""As long as a request waits; what is kept later than its beginning leads, for the rest of it, to words that say so."""

PROVING: Final = (Operation.REAUTHENTICATE, Operation.REAL_NAME, Operation.BANK_CARD, Operation.FACE)
"""The settings that a site may ask for."""

_WAY_BACK: Final = "way_back"


class WayBack:
    """Keeps addresses."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        """Keep them in ``sessions``."""
        self._sessions = sessions
        self._clock = clock

    async def keep(self, session: Session, where: str) -> None:
        """Remember an address of ours; raise ``StaleSession`` for a session that is over, and ``StoreUnavailable``."""
        await self._sessions.keep(session, _WAY_BACK, f"{self._clock.now() + GOOD_FOR} {where}")

    async def forget(self, session: Session) -> None:
        """Lead nobody there any more, if it can be written: an address that is over says so itself."""
        if _WAY_BACK in session.data:
            with suppress(StoreUnavailable, StaleSession):
                await self._sessions.keep(session, _WAY_BACK, None)

    def of(self, session: Session, setting: Operation) -> str | None:
        """Return where the session's owner came from to a ``setting``, None for who came by themselves."""
        until, _, where = session.data.get(_WAY_BACK, "").partition(" ")
        if setting not in PROVING or not where or self._clock.now() >= int(until):
            return None
        return where
