"""The calls by which tests and the phone simulator move the world behind the services.

They stand for what no server can do: pressing login in an app, looking into a camera, reading an SMS, pulling a plug.
Bodies are strict; refusals are problem documents.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Literal, Protocol, TypeAlias

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from bjidp.sandbox.business_register import Organisation, PublicOrganisation
from bjidp.sandbox.buttons import NoNumber, NotLoggedIn, PhoneButton
from bjidp.sandbox.camera import Camera, Outcome, VerificationOver
from bjidp.sandbox.captchas import CaptchaAnswers
from bjidp.sandbox.clock import rfc3339
from bjidp.sandbox.faults import Fault, Faults, Mode, Service
from bjidp.sandbox.inbox import Inbox
from bjidp.sandbox.people import People, PublicPerson
from bjidp.sandbox.people.numbers import is_synthetic_phone
from bjidp.sandbox.problems import Refused, strict_body

Platform: TypeAlias = Literal["wechat", "alipay", "baidu"]
Call: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
UserId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
VendorId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=600)]


class LoginCodes(Protocol):
    """The login of one platform's app, as a phone sees it."""

    def login_code(self, user: str) -> str:
        """Return a one-use code for this user of the platform."""
        ...


class LoginCodeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Who presses login, and where. ``user`` is a person's id, or any name for a user of the platform."""

    platform: Platform
    user: UserId


class ButtonBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Who presses the phone button, and where.

    A person's number is theirs; ``number`` is what another user, or the same one since, told the platform.
    """

    platform: Platform
    user: UserId
    number: Annotated[str, Meta(max_length=32)] | None = None


class FaceBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What happens in front of the camera of a verification, named by the vendor's own id."""

    verification: VendorId
    outcome: Outcome


class FaultBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How a service misbehaves from now on; ``seconds`` only with ``slow`` and ``timeout``."""

    service: Service
    mode: Mode
    seconds: Seconds | None = None


class CaptchaBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What a captcha of the demonstration's server shows."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    answer: Annotated[str, Meta(min_length=1, max_length=16)]


class Control:
    """The control calls."""

    def __init__(
        self,
        *,
        people: People,
        organisations: Sequence[Organisation],
        charges: Mapping[str, Callable[[], list[str]]],
        logins: dict[Platform, LoginCodes],
        cameras: Sequence[Camera],
        buttons: dict[Platform, PhoneButton],
        inbox: Inbox,
        captchas: CaptchaAnswers,
        faults: Faults,
    ) -> None:
        """Move these."""
        self._people = people
        self._organisations = organisations
        self._charges = charges
        self._logins = logins
        self._cameras = cameras
        self._buttons = buttons
        self._inbox = inbox
        self._captchas = captchas
        self._faults = faults

    def mount(self, app: web.Application) -> None:
        """Add the calls below ``/control``, and ``/health``."""
        app.router.add_get("/health", self.health)
        app.router.add_get("/control/people", self.list_people)
        app.router.add_get("/control/organisations", self.list_organisations)
        app.router.add_get("/control/charges", _refusing(self.list_charges))
        app.router.add_get("/control/inbox", _refusing(self.read_inbox))
        app.router.add_get("/control/captcha", _refusing(self.read_captcha))
        app.router.add_post("/control/captcha", _refusing(self.learn_captcha))
        app.router.add_post("/control/login-code", _refusing(self.login_code))
        app.router.add_post("/control/phone-button", _refusing(self.phone_button))
        app.router.add_post("/control/face", _refusing(self.face))
        app.router.add_post("/control/faults", _refusing(self.set_fault))

    async def health(self, _request: web.Request) -> web.StreamResponse:
        """Say that this is alive, and that it is a sandbox."""
        return _json({"status": "ok", "sandbox": True, "services": self._faults.in_force(), "held": self._faults.held})

    async def list_people(self, _request: web.Request) -> web.StreamResponse:
        """Answer the synthetic persons."""
        return _json([PublicPerson.of(person) for person in self._people.all()])

    async def list_organisations(self, _request: web.Request) -> web.StreamResponse:
        """Answer the synthetic organisations."""
        return _json([PublicOrganisation.of(organisation) for organisation in self._organisations])

    async def list_charges(self, request: web.Request) -> web.StreamResponse:
        """Answer what a register has charged for, or whom ``national`` made users, by the caller's ids, in order."""
        charged = self._charges.get(_required(request, "service"))
        if charged is None:
            raise Refused(400, "invalid_request", f"these charge: {', '.join(self._charges)}")
        return _json(charged())

    async def login_code(self, request: web.Request) -> web.StreamResponse:
        """Answer what the platform's login call gives this user."""
        body = await strict_body(request, LoginCodeBody)
        return _json({"code": self._logins[body.platform].login_code(body.user)})

    async def phone_button(self, request: web.Request) -> web.StreamResponse:
        """Answer what the platform's phone button gives the mini-program of this user."""
        body = await strict_body(request, ButtonBody)
        if body.number is not None and not is_synthetic_phone(body.number):
            raise Refused(400, "invalid_request", "nobody here has another number than 154 and eight digits")
        person = self._people.find(body.user)
        number = body.number or (None if person is None else person.phone)
        try:
            return _json(self._buttons[body.platform].press(body.user, number))
        except NoNumber:
            raise Refused(409, "number_unknown", "the platform knows no number of this user") from None
        except NotLoggedIn:
            raise Refused(409, "not_logged_in", "this user has not logged in to the mini-program") from None

    async def face(self, request: web.Request) -> web.StreamResponse:
        """Let a person stand before the camera, and answer what their phone is told of it."""
        body = await strict_body(request, FaceBody)
        try:
            for camera in self._cameras:
                filmed = camera.perform(body.verification, body.outcome)
                if filmed is not None:
                    return _json({"platform": filmed.platform, "outcome": body.outcome, "client": filmed.client})
        except VerificationOver:
            raise Refused(409, "verification_over", "this verification ended before, or its time is over") from None
        raise Refused(404, "verification_unknown", "no platform has issued this verification")

    async def read_inbox(self, request: web.Request) -> web.StreamResponse:
        """Answer what was sent to an address, newest first."""
        address = _required(request, "to")
        return _json(
            [
                {"at": rfc3339(message.at), "to": message.to, "text": message.text, "code": message.code}
                for message in self._inbox.sent_to(address)
            ]
        )

    async def read_captcha(self, request: web.Request) -> web.StreamResponse:
        """Answer what a captcha shows."""
        answer = self._captchas.answer(_required(request, "id"))
        if answer is None:
            raise Refused(404, "captcha_unknown", "no captcha of this id is known here")
        return _json({"answer": answer})

    async def learn_captcha(self, request: web.Request) -> web.StreamResponse:
        """Remember what a captcha shows."""
        body = await strict_body(request, CaptchaBody)
        self._captchas.learn(body.id, body.answer)
        return _json({})

    async def set_fault(self, request: web.Request) -> web.StreamResponse:
        """Let a service misbehave, or mend it."""
        body = await strict_body(request, FaultBody)
        if body.seconds is not None and body.mode not in {"slow", "timeout"}:
            raise Refused(400, "invalid_request", "`seconds` goes with slow and timeout only")
        self._faults.set(body.service, Fault(body.mode, body.seconds))
        return _json(self._faults.in_force())


def _required(request: web.Request, name: str) -> str:
    value = request.query.get(name)
    if not value or set(request.query) != {name}:
        raise Refused(400, "invalid_request", f"exactly one query parameter is wanted: {name}")
    return value


def _refusing(call: Call) -> Call:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await call(request)
        except Refused as refusal:
            return refusal.answer

    return handle


def _json(value: object) -> web.Response:
    return web.Response(
        text=json.dumps(msgspec.to_builtins(value), ensure_ascii=False),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
