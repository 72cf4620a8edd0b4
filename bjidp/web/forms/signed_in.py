"""Who is logged in on this browser.

Owns the way from a request's cookie to the live session behind it, which is looked for when a handler asks and at most
once a request. Nothing here makes a session: only a login does.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from msgspec import Struct

from bjidp.sessions.ports import Session
from bjidp.sessions.service import Sessions
from bjidp.standing import Standing
from bjidp.web.http.cookies import Cookies


class Owner(Struct, frozen=True):
    """Whoever is logged in: the session and the account's standing."""

    session: Session
    standing: Standing


class _Found(Struct, frozen=True):
    owner: Owner | None


_FOUND: Final = web.RequestKey("signed_in", _Found)


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
        # Kept: a write in the same request has to name the version that the touch has made.
        visited = Owner(await self._sessions.touch(owner.session), owner.standing)
        request[_FOUND] = _Found(visited)
        return visited

    async def still(self, request: web.Request, owner: Owner) -> bool:
        """Tell whether the session that was found at the beginning of a long request lives yet."""
        found = await self._sessions.find(self._cookies.session_cookie(request))
        return found is not None and found[0].id == owner.session.id

    async def of(self, request: web.Request) -> Owner | None:
        """Return the owner of the live session, or None. Raises ``StoreUnavailable``."""
        cookie = self._cookies.session_cookie(request)
        if cookie is None:
            return None
        found = request.get(_FOUND)
        if found is None:
            live = await self._sessions.find(cookie)
            found = _Found(None if live is None else Owner(*live))
            request[_FOUND] = found
        return found.owner
