"""Who is logged in on this browser.

Owns the bridge between aiohttp-session and our session store. The library's rules would let a save bring an ended
session back and would make rows for strangers; this storage only ever updates a live row by id and version
(``docs/architecture.md``), and only a login makes one.
"""

from __future__ import annotations

from typing import Final

import aiohttp_session
from aiohttp import web
from msgspec import Struct

from bjidp.accounts.ports import Standing
from bjidp.clock import SECOND
from bjidp.sessions.ports import Session, SessionEnd, StaleSession
from bjidp.sessions.service import Sessions
from bjidp.web.http.cookies import Cookies

_FOUND: Final = web.RequestKey("signed_in", object)
_DATA: Final = "data"


class Owner(Struct, frozen=True):
    """Whoever is logged in: the session and the account's standing."""

    session: Session
    standing: Standing


class SessionStorage(aiohttp_session.AbstractStorage):
    """aiohttp-session over :class:`bjidp.sessions.service.Sessions`."""

    def __init__(self, sessions: Sessions, cookies: Cookies) -> None:
        """Read and write live sessions only."""
        super().__init__(cookie_name=cookies.session, httponly=True)
        self._sessions = sessions
        self._cookies = cookies

    async def load_session(self, request: web.Request) -> aiohttp_session.Session:
        """Return the live session behind the cookie, or an empty one that no save will keep."""
        found = await self._sessions.find(self._cookies.session_cookie(request))
        if found is None:
            return aiohttp_session.Session(None, data=None, new=True)
        session, standing = found
        request[_FOUND] = Owner(session, standing)
        data: aiohttp_session.SessionData = {
            "created": session.created_at // SECOND,
            "session": {_DATA: dict(session.data)},
        }
        return aiohttp_session.Session(session.id, data=data, new=False)

    async def save_session(
        self, request: web.Request, response: web.StreamResponse, session: aiohttp_session.Session
    ) -> None:
        """Write the data of a live session back; end it when the handler invalidated it; never make one."""
        owner = request.get(_FOUND)
        if not isinstance(owner, Owner):
            return
        if session.empty:
            await self._sessions.end(owner.session, SessionEnd.INVALIDATED)
            self._cookies.drop_session(response)
            return
        data = session[_DATA]
        if not isinstance(data, dict):
            raise TypeError("session data is text by text")
        try:
            await self._sessions.save(owner.session, {str(key): str(value) for key, value in data.items()})
        except StaleSession:
            return


class SignedIn:
    """Answers who is logged in, at most one look a request."""

    def __init__(self, sessions: Sessions, cookies: Cookies) -> None:
        """Note visits in ``sessions``."""
        self._sessions = sessions
        self._cookies = cookies

    async def visiting(self, request: web.Request) -> Owner | None:
        """Do as :meth:`of` does, for a page that a person opens: notes that the session is in use."""
        owner = await self.of(request)
        if owner is None:
            return None
        # Put back: a save in the same request has to name the version that the touch has made.
        request[_FOUND] = visited = Owner(await self._sessions.touch(owner.session), owner.standing)
        return visited

    async def of(self, request: web.Request) -> Owner | None:
        """Return the owner of the live session, or None. Raises ``StoreUnavailable``."""
        if self._cookies.session_cookie(request) is None:
            return None
        await aiohttp_session.get_session(request)
        owner = request.get(_FOUND)
        return owner if isinstance(owner, Owner) else None
