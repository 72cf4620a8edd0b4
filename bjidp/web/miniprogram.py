"""The mini-program's calls (wire.md, sections 3 and 4).

Owns the routes under ``/mp/v1`` and what each needs of the request; everything is decided in the features.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from aiohttp import web

from bjidp.miniprogram.claiming import Claiming
from bjidp.miniprogram.devices import Devices
from bjidp.miniprogram.face_tickets import FaceTickets
from bjidp.miniprogram.limits import MiniProgramLimits
from bjidp.miniprogram.phone import PhoneBinding
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.miniprogram.service import MiniProgram
from bjidp.miniprogram.sessions import Caller, MiniSessions
from bjidp.miniprogram.wire import (
    AccountFound,
    AccountView,
    ClaimRequest,
    CodeSent,
    CompleteRequest,
    DeviceList,
    FaceStarted,
    IdentityRequired,
    PhoneBound,
    PhoneRequest,
    RefreshRequest,
    RegistrationRequest,
    SessionOk,
    SessionRequest,
    TokenPair,
)
from bjidp.platforms import Platform
from bjidp.qrlogin.phones import Phone, QrPhones
from bjidp.qrlogin.ticket import Holder
from bjidp.qrlogin.undoing import Undoing
from bjidp.qrlogin.wire import (
    ConfirmAnswer,
    ConfirmBody,
    FaceBody,
    RejectAnswer,
    RejectBody,
    ScanAnswer,
    ScanBody,
    UndoAnswer,
    UndoBody,
)
from bjidp.web.http.bodies import read_json
from bjidp.web.http.calls import Call, Outcome, Proof, answer
from bjidp.web.http.errors import NotFound
from bjidp.web.http.visitor import Observer

_session = msgspec.json.Decoder(SessionRequest)
_registration = msgspec.json.Decoder(RegistrationRequest)
_complete = msgspec.json.Decoder(CompleteRequest)
_claim = msgspec.json.Decoder(ClaimRequest)
_phone = msgspec.json.Decoder(PhoneRequest)
_refresh = msgspec.json.Decoder(RefreshRequest)
_scan = msgspec.json.Decoder(ScanBody)
_face = msgspec.json.Decoder(FaceBody)
_confirm = msgspec.json.Decoder(ConfirmBody)
_reject = msgspec.json.Decoder(RejectBody)
_undo = msgspec.json.Decoder(UndoBody)


class MiniProgramApi:
    """Handlers of the mini-program's calls."""

    def __init__(
        self,
        *,
        mini_program: MiniProgram,
        sessions: MiniSessions,
        limits: MiniProgramLimits,
        claiming: Claiming,
        binding: PhoneBinding,
        phones: QrPhones,
        face_tickets: FaceTickets,
        undoing: Undoing,
        devices: Devices,
        observer: Observer,
        platforms: frozenset[Platform],
    ) -> None:
        """Serve only the configured ``platforms``; others are not found."""
        self._mini_program = mini_program
        self._sessions = sessions
        self._limits = limits
        self._claiming = claiming
        self._binding = binding
        self._phones = phones
        self._face_tickets = face_tickets
        self._undoing = undoing
        self._devices = devices
        self._observer = observer
        self._platforms = platforms

    def calls(self) -> tuple[Call, ...]:
        """Return every call, for the router and the description."""
        vendor = ("rate_limited", "vendor_unavailable", "service_unavailable")
        bearer = ("token_invalid", "rate_limited", "service_unavailable")
        held = ("ticket_unknown", "confirm_refused", "ticket_closed", "ticket_expired")
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
                errors=("invalid_request", "account_refused", "phone_taken", "vendor_unavailable", *bearer),
            ),
            Call(
                method="POST",
                path="/mp/v1/session/refresh",
                summary="Exchange the refresh token for the next pair",
                handler=self.refresh,
                proof=Proof.NOTHING,
                body=RefreshRequest,
                answers=(TokenPair,),
                errors=("invalid_request", "account_refused", *bearer),
            ),
            Call(
                method="DELETE",
                path="/mp/v1/session",
                summary="Log the phone out",
                handler=self.end,
                proof=Proof.BEARER,
                status=HTTPStatus.NO_CONTENT,
                errors=bearer,
            ),
            Call(
                method="GET",
                path="/mp/v1/account",
                summary="Read the account, masked",
                handler=self.account,
                proof=Proof.BEARER,
                answers=(AccountView,),
                errors=("account_refused", *bearer),
            ),
            Call(
                method="GET",
                path="/mp/v1/sessions",
                summary="List where the account is logged in",
                handler=self.sessions,
                proof=Proof.BEARER,
                answers=(DeviceList,),
                errors=("account_refused", *bearer),
            ),
            Call(
                method="DELETE",
                path="/mp/v1/sessions/{id}",
                summary="End one session of the account, with its sockets",
                handler=self.end_one,
                proof=Proof.BEARER,
                status=HTTPStatus.NO_CONTENT,
                errors=("account_refused", "session_unknown", *bearer),
            ),
            Call(
                method="POST",
                path="/mp/v1/qr/scan",
                summary="Take the ticket on the screen and read what it is for",
                handler=self.scan,
                proof=Proof.BEARER,
                body=ScanBody,
                answers=(ScanAnswer,),
                errors=(
                    "invalid_request", "scene_refused", "ticket_unknown", "ticket_expired", "ticket_closed",
                    "frame_stale", "account_refused", "ticket_taken", *bearer,
                ),
            ),
            Call(
                method="POST",
                path="/mp/v1/qr/face",
                summary="Open a face check of the account's own identity for a ticket that asks for one",
                handler=self.face,
                proof=Proof.BEARER,
                body=FaceBody,
                answers=(FaceStarted,),
                errors=(
                    "invalid_request", "account_refused", "document_unsupported", "vendor_unavailable", *held, *bearer
                ),
            ),
            Call(
                method="POST",
                path="/mp/v1/qr/confirm",
                summary="Confirm what was scanned",
                handler=self.confirm,
                proof=Proof.BEARER,
                body=ConfirmBody,
                answers=(ConfirmAnswer,),
                errors=(
                    "invalid_request", "account_refused", "face_pending", "face_failed", "vendor_unavailable", *held,
                    *bearer,
                ),
            ),
            Call(
                method="POST",
                path="/mp/v1/qr/reject",
                summary="Refuse what was scanned",
                handler=self.reject,
                proof=Proof.BEARER,
                body=RejectBody,
                answers=(RejectAnswer,),
                errors=("invalid_request", *held, *bearer),
            ),
            Call(
                method="POST",
                path="/mp/v1/qr/undo",
                summary="Take a confirmation back: end what came of it",
                handler=self.undo,
                proof=Proof.BEARER,
                body=UndoBody,
                answers=(UndoAnswer,),
                errors=("invalid_request", "ticket_unknown", *bearer),
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
        caller = await self._sessions.authenticate(request.headers.get("Authorization"))
        await self._limits.call(caller)
        return answer(await self._binding.bind(caller, platform, body))

    async def refresh(self, request: web.Request) -> web.Response:
        """``POST /mp/v1/session/refresh``."""
        body = await read_json(request, _refresh)
        await self._limits.refresh(self._sessions.named_by(body.refresh_token))
        tokens = await self._sessions.refresh(body.refresh_token)
        return answer(TokenPair(tokens.access, tokens.expires_in, tokens.refresh))

    async def end(self, request: web.Request) -> web.Response:
        """``DELETE /mp/v1/session``: a locked account may log its phone out too."""
        caller = await self._sessions.recognise(request.headers.get("Authorization"))
        await self._limits.call(caller)
        await self._sessions.end(caller.session.id, MiniSessionEnd.LOGOUT)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def account(self, request: web.Request) -> web.Response:
        """``GET /mp/v1/account``."""
        caller = await self._sessions.authenticate(request.headers.get("Authorization"))
        await self._limits.call(caller)
        return answer(await self._mini_program.account(caller))

    async def sessions(self, request: web.Request) -> web.Response:
        """``GET /mp/v1/sessions``."""
        caller = await self._sessions.authenticate(request.headers.get("Authorization"))
        await self._limits.call(caller)
        return answer(await self._devices.of(caller))

    async def end_one(self, request: web.Request) -> web.Response:
        """``DELETE /mp/v1/sessions/{id}``."""
        caller = await self._sessions.authenticate(request.headers.get("Authorization"))
        await self._limits.call(caller)
        await self._devices.end(caller, request.match_info["id"])
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def scan(self, request: web.Request) -> web.Response:
        """``POST /mp/v1/qr/scan``."""
        body = await read_json(request, _scan)
        return answer(await self._phones.scan(await self._phone(request), body.text, body.scene))

    async def face(self, request: web.Request) -> web.Response:
        """``POST /mp/v1/qr/face``."""
        body = await read_json(request, _face)
        return answer(await self._face_tickets.start(await self._phone(request), body.ticket, body.confirm_token))

    async def confirm(self, request: web.Request) -> web.Response:
        """``POST /mp/v1/qr/confirm``."""
        body = await read_json(request, _confirm)
        return answer(await self._face_tickets.confirm(await self._phone(request), body.ticket, body.confirm_token))

    async def reject(self, request: web.Request) -> web.Response:
        """``POST /mp/v1/qr/reject``."""
        body = await read_json(request, _reject)
        phone = await self._phone(request)
        return answer(await self._phones.reject(phone, body.ticket, body.confirm_token, report=body.report))

    async def undo(self, request: web.Request) -> web.Response:
        """``POST /mp/v1/qr/undo``: an account that may not log in may take back too."""
        body = await read_json(request, _undo)
        return answer(await self._undoing.undo(await self._phone(request), body.ticket, report=body.report))

    def _platform(self, request: web.Request) -> Platform:
        try:
            platform = Platform(request.match_info["platform"])
        except ValueError:
            raise NotFound from None
        if platform not in self._platforms:
            raise NotFound
        return platform

    async def _phone(self, request: web.Request) -> Phone:
        # The account's standing is judged by the use cases, at the place wire.md gives it among the checks.
        caller = await self._sessions.recognise(request.headers.get("Authorization"))
        await self._limits.call(caller)
        standing = caller.standing
        return Phone(
            _holder(caller),
            standing.ref,
            standing.refusal,
            self._observer.area(request),
            standing.epoch,
            standing.level,
        )


def _holder(caller: Caller) -> Holder:
    return Holder(caller.account, caller.link, caller.session.platform, caller.standing.name)
