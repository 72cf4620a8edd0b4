"""Which phone calls.

Owns that each call is counted, and what the calls of phones that are logged in may be answered. Called by the handlers
of this room.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.miniprogram.limits import MiniProgramLimits
from bjidp.miniprogram.sessions import Caller, MiniSessions

BEARER: Final = ("token_invalid", "rate_limited", "service_unavailable")
"""The error codes of every call with a bearer token."""


class Callers:
    """Finds out; a store that is down raises ``StoreUnavailable``."""

    def __init__(self, sessions: MiniSessions, limits: MiniProgramLimits) -> None:
        """Count by ``limits``."""
        self._sessions = sessions
        self._limits = limits

    async def authenticated(self, request: web.Request) -> Caller:
        """Return whose phone it is.

        Raises ``TokenInvalid``, ``AccountRefused`` for an account that may not be used, and ``RateLimited``.
        """
        caller = await self._sessions.authenticate(request.headers.get("Authorization"))
        await self._limits.call(caller)
        return caller

    async def recognised(self, request: web.Request) -> Caller:
        """Do so for an account that may not be used, too; raise ``TokenInvalid`` and ``RateLimited``."""
        caller = await self._sessions.recognise(request.headers.get("Authorization"))
        await self._limits.call(caller)
        return caller
