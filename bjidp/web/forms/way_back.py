"""Where somebody goes on once they have done what a site asked of them.

Owns how that is kept: with the session, as an address that we have made ourselves, so that no link and no form says
where anybody is led (attack T4). It is forgotten when they get there. Called by the pages of the authorization
endpoint, which keep it, and by those where levels are raised and people prove themselves.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from bjidp.errors import StoreUnavailable
from bjidp.sessions.ports import Session, StaleSession
from bjidp.sessions.service import Sessions

_WAY_BACK: Final = "way_back"


class WayBack:
    """Keeps addresses."""

    def __init__(self, sessions: Sessions) -> None:
        """Keep them in ``sessions``."""
        self._sessions = sessions

    async def keep(self, session: Session, where: str) -> None:
        """Remember an address of ours; raise ``StaleSession`` for a session that is over, and ``StoreUnavailable``."""
        await self._sessions.keep(session, _WAY_BACK, where)

    async def forget(self, session: Session) -> None:
        """Lead nobody there any more, if it can be written: an address that is over says so itself."""
        if way_back(session) is not None:
            with suppress(StoreUnavailable, StaleSession):
                await self._sessions.keep(session, _WAY_BACK, None)


def way_back(session: Session) -> str | None:
    """Return the address that the session's owner came from, None for who came by themselves."""
    return session.data.get(_WAY_BACK)
