"""Calls under a platform's own name: how a phone logs in, and is given its number.

Owns their routes and what each needs of the request. Only the configured platforms are found.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from aiohttp import web

from bjidp.miniprogram.claiming import Claiming
from bjidp.miniprogram.phone import PhoneBinding
from bjidp.miniprogram.service import MiniProgram
from bjidp.miniprogram.wire import (
    AccountFound,
    ClaimRequest,
    CodeSent,
    CompleteRequest,
    FaceStarted,
    IdentityRequired,
    PhoneBound,
    PhoneRequest,
    RegistrationRequest,
    SessionOk,
    SessionRequest,
)
from bjidp.platforms import Platform
from bjidp.web.http.bodies import read_json
from bjidp.web.http.calls import Call, Outcome, Proof, answer
from bjidp.web.http.errors import NotFound
from bjidp.web.http.visitor import Observer
from bjidp.web.miniprogram.callers import BEARER, Callers

_session = msgspec.json.Decoder(SessionRequest)
_registration = msgspec.json.Decoder(RegistrationRequest)
_complete = msgspec.json.Decoder(CompleteRequest)
_claim = msgspec.json.Decoder(ClaimRequest)
_phone = msgspec.json.Decoder(PhoneRequest)


class PlatformCalls:
    """Handlers of these calls."""

    def __init__(
        self,
        *,
        mini_program: MiniProgram,
        claiming: Claiming,
        binding: PhoneBinding,
        callers: Callers,
        observer: Observer,
        platforms: frozenset[Platform],
    ) -> None:
        """Serve only the configured ``platforms``; others are not found."""
        self._mini_program = mini_program
        self._claiming = claiming
        self._binding = binding
        self._callers = callers
        self._observer = observer
        self._platforms = platforms

    def calls(self) -> tuple[Call, ...]:
        """Return every call, for the router and the description."""
        vendor = ("rate_limited", "vendor_unavailable", "service_unavailable")
        return (
            Call(
                method="POST",
                path="/mp/v1/{platform}/session",
                summary="Log in with the platform's own login code",
                handler=self.session,
                proof=Proof.NOTHING,
                body=SessionRequest,
                answers=(SessionOk, IdentityRequired),
                errors=("invalid_request", "login_code_invalid", "login_blocked", "account_refused", *vendor),
            ),
            Call(
                method="POST",
                path="/mp/v1/{platform}/registration",
                summary="State who one is and open a face check for exactly these facts",
                handler=self.registration,
                proof=Proof.NOTHING,
                body=RegistrationRequest,
                answers=(FaceStarted,),
                errors=("invalid_request", "document_unsupported", *vendor),
            ),
            Call(
                method="POST",
                path="/mp/v1/{platform}/registration/complete",
                summary="Ask what came of the face check, and log in",
                handler=self.complete,
                proof=Proof.NOTHING,
                body=CompleteRequest,
                answers=(SessionOk, AccountFound),
                errors=(
                    "invalid_request", "face_pending", "face_failed", "identity_mismatch", "account_refused", *vendor
                ),
            ),
            Call(
                method="POST",
                path="/mp/v1/{platform}/registration/claim",
                summary="Claim the account that holds the identity by a weaker proof, or take the identity over",
                handler=self.claim,
                proof=Proof.NOTHING,
                body=ClaimRequest,
                answers=(SessionOk, AccountFound),
                others=(Outcome(HTTPStatus.ACCEPTED, "a code goes to the account's phone", CodeSent),),
                errors=(
                    "invalid_request", "account_refused", "verification_code_wrong", "verification_code_expired",
                    "sms_hourly", "sms_daily", "sms_not_offered", "too_busy", "rate_limited", "service_unavailable",
                ),
            ),
            Call(
                method="POST",
                path="/mp/v1/{platform}/phone",
                summary="Give the account the number that the platform's phone button tells",
                handler=self.phone,
                proof=Proof.BEARER,
                body=PhoneRequest,
                answers=(PhoneBound,),
                errors=("invalid_request", "account_refused", "phone_taken", "vendor_unavailable", *BEARER),
            ),
        )  # fmt: skip

    async def session(self, request: web.Request) -> web.Response:
        """``POST /mp/v1/{platform}/session``."""
        platform = self._platform(request)
        body = await read_json(request, _session)
        return answer(await self._mini_program.session(platform, body, self._observer.source(request)))

    async def registration(self, request: web.Request) -> web.Response:
        """``POST /mp/v1/{platform}/registration``."""
        platform = self._platform(request)
        body = await read_json(request, _registration)
        return answer(await self._mini_program.registration(platform, body, self._observer.source(request)))

    async def complete(self, request: web.Request) -> web.Response:
        """``POST /mp/v1/{platform}/registration/complete``."""
        platform = self._platform(request)
        body = await read_json(request, _complete)
        return answer(await self._mini_program.complete(platform, body, self._observer.source(request)))

    async def claim(self, request: web.Request) -> web.Response:
        """``POST /mp/v1/{platform}/registration/claim``."""
        platform = self._platform(request)
        body = await read_json(request, _claim)
        answered = await self._claiming.claim(platform, body, self._observer.source(request))
        return answer(answered, HTTPStatus.ACCEPTED if isinstance(answered, CodeSent) else HTTPStatus.OK)

    async def phone(self, request: web.Request) -> web.Response:
        """``POST /mp/v1/{platform}/phone``; not found where the platform's button is not set up."""
        platform = self._platform(request)
        if platform not in self._binding.platforms:
            raise NotFound
        body = await read_json(request, _phone)
        caller = await self._callers.authenticated(request)
        return answer(await self._binding.bind(caller, platform, body))

    def _platform(self, request: web.Request) -> Platform:
        try:
            platform = Platform(request.match_info["platform"])
        except ValueError:
            raise NotFound from None
        if platform not in self._platforms:
            raise NotFound
        return platform
