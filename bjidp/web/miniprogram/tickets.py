"""Calls about the ticket that a phone has scanned.

Owns their routes and what each needs of the request.
"""

from __future__ import annotations

import msgspec
from aiohttp import web

from bjidp.miniprogram.face_tickets import FaceTickets
from bjidp.miniprogram.sessions import Caller
from bjidp.miniprogram.wire import (
    FaceStarted,
)
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
from bjidp.web.http.calls import Call, Proof, answer
from bjidp.web.http.visitor import Observer
from bjidp.web.miniprogram.callers import BEARER, Callers

_scan = msgspec.json.Decoder(ScanBody)
_face = msgspec.json.Decoder(FaceBody)
_confirm = msgspec.json.Decoder(ConfirmBody)
_reject = msgspec.json.Decoder(RejectBody)
_undo = msgspec.json.Decoder(UndoBody)


class TicketCalls:
    """Handlers of these calls."""

    def __init__(
        self, *, phones: QrPhones, face_tickets: FaceTickets, undoing: Undoing, callers: Callers, observer: Observer
    ) -> None:
        """Tell the phone where it is by the ``observer``."""
        self._phones = phones
        self._face_tickets = face_tickets
        self._undoing = undoing
        self._callers = callers
        self._observer = observer

    def calls(self) -> tuple[Call, ...]:
        """Return every call, for the router and the description."""
        held = ("ticket_unknown", "confirm_refused", "ticket_closed", "ticket_expired")
        return (
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
                    "frame_stale", "account_refused", "ticket_taken", *BEARER,
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
                    "invalid_request", "account_refused", "document_unsupported", "vendor_unavailable", *held, *BEARER
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
                    *BEARER,
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
                errors=("invalid_request", *held, *BEARER),
            ),
            Call(
                method="POST",
                path="/mp/v1/qr/undo",
                summary="Take a confirmation back: end what came of it",
                handler=self.undo,
                proof=Proof.BEARER,
                body=UndoBody,
                answers=(UndoAnswer,),
                errors=("invalid_request", "ticket_unknown", *BEARER),
            ),
        )  # fmt: skip

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

    async def _phone(self, request: web.Request) -> Phone:
        # The account's standing is judged by the use cases, at the place wire.md gives it among the checks.
        caller = await self._callers.recognised(request)
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
