"""Calls of a phone that is logged in: its tokens, its account, and where the account is logged in.

Owns their routes and what each needs of the request.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from aiohttp import web

from bjidp.miniprogram.devices import Devices
from bjidp.miniprogram.limits import MiniProgramLimits
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.miniprogram.service import MiniProgram
from bjidp.miniprogram.sessions import MiniSessions
from bjidp.miniprogram.wire import (
    AccountView,
    DeviceList,
    RefreshRequest,
    TokenPair,
)
from bjidp.web.http.bodies import read_json
from bjidp.web.http.calls import Call, Proof, answer
from bjidp.web.miniprogram.callers import BEARER, Callers

_refresh = msgspec.json.Decoder(RefreshRequest)


class SessionCalls:
    """Handlers of these calls."""

    def __init__(
        self,
        *,
        mini_program: MiniProgram,
        sessions: MiniSessions,
        limits: MiniProgramLimits,
        devices: Devices,
        callers: Callers,
    ) -> None:
        """Take every dependency."""
        self._mini_program = mini_program
        self._sessions = sessions
        self._limits = limits
        self._devices = devices
        self._callers = callers

    def calls(self) -> tuple[Call, ...]:
        """Return every call, for the router and the description."""
        return (
            Call(
                method="POST",
                path="/mp/v1/session/refresh",
                summary="Exchange the refresh token for the next pair",
                handler=self.refresh,
                proof=Proof.NOTHING,
                body=RefreshRequest,
                answers=(TokenPair,),
                errors=("invalid_request", "account_refused", *BEARER),
            ),
            Call(
                method="DELETE",
                path="/mp/v1/session",
                summary="Log the phone out",
                handler=self.end,
                proof=Proof.BEARER,
                status=HTTPStatus.NO_CONTENT,
                errors=BEARER,
            ),
            Call(
                method="GET",
                path="/mp/v1/account",
                summary="Read the account, masked",
                handler=self.account,
                proof=Proof.BEARER,
                answers=(AccountView,),
                errors=("account_refused", *BEARER),
            ),
            Call(
                method="GET",
                path="/mp/v1/sessions",
                summary="List where the account is logged in",
                handler=self.sessions,
                proof=Proof.BEARER,
                answers=(DeviceList,),
                errors=("account_refused", *BEARER),
            ),
            Call(
                method="DELETE",
                path="/mp/v1/sessions/{id}",
                summary="End one session of the account, with its sockets",
                handler=self.end_one,
                proof=Proof.BEARER,
                status=HTTPStatus.NO_CONTENT,
                errors=("account_refused", "session_unknown", *BEARER),
            ),
        )  # fmt: skip

    async def refresh(self, request: web.Request) -> web.Response:
        """``POST /mp/v1/session/refresh``."""
        body = await read_json(request, _refresh)
        await self._limits.refresh(self._sessions.named_by(body.refresh_token))
        tokens = await self._sessions.refresh(body.refresh_token)
        return answer(TokenPair(tokens.access, tokens.expires_in, tokens.refresh))

    async def end(self, request: web.Request) -> web.Response:
        """``DELETE /mp/v1/session``: a locked account may log its phone out too."""
        caller = await self._callers.recognised(request)
        await self._sessions.end(caller.session.id, MiniSessionEnd.LOGOUT)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def account(self, request: web.Request) -> web.Response:
        """``GET /mp/v1/account``."""
        caller = await self._callers.authenticated(request)
        return answer(await self._mini_program.account(caller))

    async def sessions(self, request: web.Request) -> web.Response:
        """``GET /mp/v1/sessions``."""
        caller = await self._callers.authenticated(request)
        return answer(await self._devices.of(caller))

    async def end_one(self, request: web.Request) -> web.Response:
        """``DELETE /mp/v1/sessions/{id}``."""
        caller = await self._callers.authenticated(request)
        await self._devices.end(caller, request.match_info["id"])
        return web.Response(status=HTTPStatus.NO_CONTENT)
