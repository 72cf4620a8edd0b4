"""From a typed error to an answer: a problem document (RFC 9457) for programs, a page for people.

Owns the HTTP status of every error code and the one middleware, through which every request and every answer goes.
Handlers never catch for the sake of an answer. An error that is none of ours is logged by its class and place alone,
since its text may hold a personal value, and answered as a 500 that says nothing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bjidp.errors import BjidpError, Retryable
from bjidp.unexpected import outline
from bjidp.web.http.guards import Guards
from bjidp.web.http.pacing import Pacing
from bjidp.web.http.visitor import on_h5
from bjidp.web.pages.ending import ErrorPage
from bjidp.web.pages.rendering import Renderer
from bjidp.web.words.advice import advice

STATUS: Final[dict[str, HTTPStatus]] = {
    "account_refused": HTTPStatus.FORBIDDEN,
    "authorization_over": HTTPStatus.GONE,
    "acting_on_probation": HTTPStatus.FORBIDDEN,
    "already_signed_in": HTTPStatus.CONFLICT,
    "appeal_not_needed": HTTPStatus.CONFLICT,
    "appeal_open": HTTPStatus.CONFLICT,
    "appeals_crowded": HTTPStatus.CONFLICT,
    "appeal_over": HTTPStatus.CONFLICT,
    "appeals_full": HTTPStatus.SERVICE_UNAVAILABLE,
    "browser_unknown": HTTPStatus.FORBIDDEN,
    "captcha_wrong": HTTPStatus.UNPROCESSABLE_ENTITY,
    "card_mismatch": HTTPStatus.UNPROCESSABLE_ENTITY,
    "claim_over": HTTPStatus.CONFLICT,
    "code_wrong": HTTPStatus.UNPROCESSABLE_ENTITY,
    "confirm_refused": HTTPStatus.FORBIDDEN,
    "credentials_wrong": HTTPStatus.UNPROCESSABLE_ENTITY,
    "dispatch_unknown": HTTPStatus.NOT_FOUND,
    "document_expired": HTTPStatus.UNPROCESSABLE_ENTITY,
    "document_tail_spent": HTTPStatus.FORBIDDEN,
    "document_unsupported": HTTPStatus.UNPROCESSABLE_ENTITY,
    "external_login_over": HTTPStatus.GONE,
    "external_taken": HTTPStatus.CONFLICT,
    "external_login_refused": HTTPStatus.FORBIDDEN,
    "face_failed": HTTPStatus.UNPROCESSABLE_ENTITY,
    "face_pending": HTTPStatus.CONFLICT,
    "flow_expired": HTTPStatus.GONE,
    "flow_unknown": HTTPStatus.FORBIDDEN,
    "form_expired": HTTPStatus.GONE,
    "frame_stale": HTTPStatus.CONFLICT,
    "identity_mismatch": HTTPStatus.UNPROCESSABLE_ENTITY,
    "identity_other": HTTPStatus.CONFLICT,
    "identity_worn": HTTPStatus.CONFLICT,
    "phone_required": HTTPStatus.CONFLICT,
    "internal_error": HTTPStatus.INTERNAL_SERVER_ERROR,
    "invalid_request": HTTPStatus.BAD_REQUEST,
    "level_required": HTTPStatus.FORBIDDEN,
    "login_blocked": HTTPStatus.FORBIDDEN,
    "login_code_invalid": HTTPStatus.UNAUTHORIZED,
    "mail_not_offered": HTTPStatus.NOT_IMPLEMENTED,
    "mandates_full": HTTPStatus.CONFLICT,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "misdirected": HTTPStatus.MISDIRECTED_REQUEST,
    "not_found": HTTPStatus.NOT_FOUND,
    "organisation_held": HTTPStatus.CONFLICT,
    "organisation_refused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "organisation_unknown": HTTPStatus.NOT_FOUND,
    "redirect_refused": HTTPStatus.BAD_REQUEST,
    "relying_party_unknown": HTTPStatus.BAD_REQUEST,
    "origin_refused": HTTPStatus.FORBIDDEN,
    "page_superseded": HTTPStatus.CONFLICT,
    "password_changed": HTTPStatus.CONFLICT,
    "phone_taken": HTTPStatus.CONFLICT,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "request_timeout": HTTPStatus.REQUEST_TIMEOUT,
    "scene_refused": HTTPStatus.FORBIDDEN,
    "service_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "session_unknown": HTTPStatus.NOT_FOUND,
    "sms_daily": HTTPStatus.TOO_MANY_REQUESTS,
    "sms_hourly": HTTPStatus.TOO_MANY_REQUESTS,
    "sms_of_browser": HTTPStatus.TOO_MANY_REQUESTS,
    "sms_not_offered": HTTPStatus.NOT_IMPLEMENTED,
    "ticket_closed": HTTPStatus.CONFLICT,
    "ticket_expired": HTTPStatus.GONE,
    "ticket_taken": HTTPStatus.CONFLICT,
    "ticket_unknown": HTTPStatus.NOT_FOUND,
    "token_invalid": HTTPStatus.UNAUTHORIZED,
    "too_many_passwords": HTTPStatus.TOO_MANY_REQUESTS,
    "too_busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "username_taken": HTTPStatus.CONFLICT,
    "vendor_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "verification_code_expired": HTTPStatus.GONE,
    "verification_code_wrong": HTTPStatus.UNPROCESSABLE_ENTITY,
    "verification_required": HTTPStatus.FORBIDDEN,
}
"""Every code an answer can carry. A test holds this table, the catalogue and the error classes to each other."""

_OF_AIOHTTP: Final = {400: "invalid_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}

log = structlog.get_logger(__name__)


class Problems:
    """Answers errors."""

    def __init__(self, renderer: Renderer, guards: Guards) -> None:
        """Words and pages come from ``renderer``; ``guards`` hold for every request and every answer."""
        self._renderer = renderer
        self._guards = guards
        self._pacing = Pacing()

    def answer(
        self, request: web.Request, code: str, details: dict[str, object], retry_after: int | None = None
    ) -> web.Response:
        """Return the answer for ``code``: a page if the client is a browser that navigates, else JSON."""
        status = STATUS[code]
        if "text/html" in request.headers.get("Accept", ""):
            page = ErrorPage(h5=on_h5(request), code=code, retry_after=retry_after)
            response = web.Response(body=self._renderer.render(page), status=status, content_type="text/html")
            response.charset = "utf-8"
        else:
            words = self._renderer.texts
            body = {
                "type": "about:blank",
                "title": words.plain(f"problem.{code}"),
                "status": int(status),
                "detail": advice(code, retry_after, words),
                "code": code,
            }
            response = web.Response(
                body=msgspec.json.encode(body | details), status=status, content_type="application/problem+json"
            )
        response.headers["Cache-Control"] = "no-store"
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        if code == "token_invalid":
            response.headers["WWW-Authenticate"] = "Bearer"
        if code == "request_timeout":
            # Nothing more is waited for on this connection (RFC 9110, section 15.5.9).
            response.force_close()
        return response

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn away what is not for this site, answer the rest in turns, be it what a handler raises; dress answers."""
        try:
            self._guards.require_host(request)
            turn = self._pacing.turn(request.path)
            if turn is not None:
                await turn
            response = await handler(request)
        except web.HTTPException as raised:
            answered = self._instead_of(request, raised)
            if answered is None:
                self._guards.dress(request, raised)
                raise
            response = answered
        except Exception as error:  # noqa: BLE001 - the last line of defence: whatever it was, nobody is shown it
            response = self._failed(request, error)
        # A socket has said farewell by now, and its upgrade carries no page's headers.
        if not response.prepared:
            self._guards.dress(request, response)
        return response

    def refusal(self, request: web.Request, code: str) -> web.Response:
        """Return the answer to what never becomes a request, after which the connection is closed."""
        response = self.answer(request, code, {})
        response.force_close()
        self._guards.dress(request, response)
        return response

    def _instead_of(self, request: web.Request, raised: web.HTTPException) -> web.Response | None:
        """Return our answer in place of one of aiohttp's; None for a redirect, which is one of ours."""
        code = _OF_AIOHTTP.get(raised.status)
        if code is None:
            return None
        response = self.answer(request, code, {})
        if "Allow" in raised.headers:
            response.headers["Allow"] = raised.headers["Allow"]
        return response

    def _failed(self, request: web.Request, error: Exception) -> web.Response:
        if isinstance(error, BjidpError):
            retry_after = error.retry_after if isinstance(error, Retryable) else None
            return self.answer(request, error.code, error.details, retry_after)
        if isinstance(error, web.RequestPayloadError):
            # A body that is not in the encoding it claims.
            return self.answer(request, "invalid_request", {})
        log.error("unhandled_error", **outline(error))
        return self.answer(request, "internal_error", {})


PROBLEMS: Final = web.AppKey("problems", Problems)
"""Where an application keeps what answers for it, for failures that no middleware sees."""
