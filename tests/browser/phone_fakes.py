"""What the phone simulator talks to, small enough to steer from a test.

:class:`FakeIdentityServer` answers ``/mp/v1`` as the wire describes it and remembers what it was asked;
:class:`FakeControl` is the part of the sandbox's ``/control`` that the simulator's pages use. The journeys with the
real server and the real sandbox are elsewhere; here a test can lose an answer or end a session at the right moment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypedDict

from aiohttp import web
from aiohttp.test_utils import TestServer

from bjidp.sandbox import phone

Body = dict[str, object]
PREFIX = "http://127.0.0.1:8080/q/"
LIVE_SCENES = {0, 1011, 1047}


class Person(TypedDict):
    """One entry of ``/control/people``."""

    id: str
    name: str
    document_type: str
    document_number: str
    phone: str
    story: str


ZHANG: Person = {
    "id": "zhang",
    "name": "张三",
    "document_type": "resident_id",
    "document_number": "100101199003070017",
    "phone": "15410000001",
    "story": "ordinary",
}
LI: Person = {
    "id": "li",
    "name": "李小雨",
    "document_type": "hk_permit",
    "document_number": "H99990002",
    "phone": "15410000002",
    "story": "ordinary",
}
PEOPLE: list[Person] = [
    ZHANG,
    LI,
    {**ZHANG, "id": "mismatch", "name": "王不符", "document_number": "100101198501010029", "story": "mismatch"},
    {**ZHANG, "id": "face", "name": "赵无颜", "document_number": "100101197805060034", "story": "face_fails"},
    {**ZHANG, "id": "rare", "name": "陈\U00030edd", "document_number": "100101199912310049", "story": "rare_character"},
    {
        **ZHANG,
        "id": "dotted",
        "name": "阿依古丽·买买提",
        "document_number": "100101200001010051",
        "story": "dotted_name",
    },
    {
        **ZHANG,
        "id": "smith",
        "name": "ALEXANDRA MARIA SMITH",
        "document_type": "permanent_resident",
        "document_number": "900840199003070012",
        "story": "latin_name",
    },
    {**ZHANG, "id": "lin", "name": "林海音", "document_type": "taiwan_permit", "document_number": "99990003"},
]

Answer = tuple[int, Body | None]

DEVICES: list[Body] = [
    {
        "id": "own", "kind": "phone", "way": None, "platform": "wechat", "browser": None, "os": None, "area": None,
        "created_at": "2027-01-15T08:00:00.000Z", "last_used_at": "2027-01-15T08:00:00.000Z", "current": True,
    },
    {
        "id": "office", "kind": "browser", "way": "qr", "platform": "wechat", "browser": "Chrome", "os": "Windows",
        "area": "北京市", "created_at": "2027-01-14T16:30:00.000Z", "last_used_at": "2027-01-15T07:00:00.000Z",
        "current": False,
    },
    {
        "id": "stranger", "kind": "browser", "way": "password", "platform": None, "browser": "unknown", "os": "unknown",
        "area": None, "created_at": "2027-01-10T00:00:00.000Z", "last_used_at": "2027-01-10T00:05:00.000Z",
        "current": False,
    },
    {
        "id": "tablet", "kind": "phone", "way": None, "platform": "alipay", "browser": None, "os": None, "area": None,
        "created_at": "2027-01-01T00:00:00.000Z", "last_used_at": "2027-01-12T00:00:00.000Z", "current": False,
    },
]  # fmt: skip
"""Where the account is logged in."""


def problem(status: int, code: str, **members: object) -> Answer:
    """Return a problem document as the server writes it."""
    return status, {"type": "about:blank", "title": code, "status": status, "code": code, **members}


def masked(name: str) -> str:
    """Return a name as pages show it."""
    return f"{name[0]}**"


class FakeIdentityServer:
    """The mini-program API, with one ticket a text."""

    def __init__(self) -> None:
        """Know Zhang San already; everybody else is new."""
        self.known = {ZHANG["id"]: ZHANG["name"]}
        self.calls: list[tuple[str, Body]] = []
        self.codes: dict[str, str] = {}
        self.tokens = {"access-1": ""}
        self.outcomes: dict[str, str] = {}
        self.registrations: dict[str, Body] = {}
        self.pending = 0
        self.reverse_code: str | None = None
        self.request: Body = {
            "client": {"name": "首都之窗", "domain": "banshi.example.gov.cn"},
            "action": "login",
            "requested_at": "2027-01-15T08:00:00.000Z",
            "age": 7,
            "browser": "Chrome",
            "os": "Windows",
            "ip_area": "北京市",
            "location_mismatch": False,
            "ip_seen_before": True,
            "session_lifetime": 43200,
        }
        self.purpose = "login"
        self.user_code = "WDJB-MJHT"
        self.face_fails = False
        self.expires_in = 60.0
        self.devices = list(DEVICES)
        self.refusals: dict[str, Answer] = {}
        self.first_answers: dict[str, Body] = {}
        self.lose: set[str] = set()
        self.numbers: dict[str, str] = {ZHANG["id"]: "154****0001"}
        self.stale: set[str] = set()
        self.found: Body | None = None
        self.claim_code = "482913"
        self.login_page = "<!doctype html><title>login</title>"
        self.login_script = ""

    def asked(self, tail: str) -> list[Body]:
        """Return the bodies of every call to ``tail``, oldest first."""
        return [body for seen, body in self.calls if seen == tail]

    def app(self) -> web.Application:
        """Return it as an application."""
        app = web.Application()
        app.router.add_get("/login", self._login)
        app.router.add_get("/login.js", self._script)
        app.router.add_route("*", "/mp/v1/{tail:.+}", self._call)
        return app

    async def _login(self, _request: web.Request) -> web.Response:
        return web.Response(text=self.login_page, content_type="text/html")

    async def _script(self, _request: web.Request) -> web.Response:
        return web.Response(text=self.login_script, content_type="text/javascript")

    async def _call(self, request: web.Request) -> web.Response:
        tail = request.match_info["tail"]
        body: Body = await request.json() if request.can_read_body else {}
        self.calls.append((tail, body))
        status, answer = self._answer(request, tail, body)
        if tail in self.lose:
            # The call took effect, its answer never arrives.
            self.lose.discard(tail)
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        if answer is None:
            return web.Response(status=status)
        content_type = "application/json" if status < 400 else "application/problem+json"
        headers = {"Retry-After": "90"} if status in {429, 503} else {}
        return web.json_response(answer, status=status, content_type=content_type, headers=headers)

    def _answer(self, request: web.Request, tail: str, body: Body) -> Answer:
        if tail in self.refusals:
            return self.refusals[tail]
        platform, _, open_call = tail.partition("/")
        if platform in {"wechat", "alipay", "baidu"} and open_call != "phone":
            return self._open(open_call, body)
        if tail == "session/refresh":
            return self._refresh(body)
        user = self.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if user is None:
            return problem(401, "token_invalid")
        if tail.startswith("sessions/"):
            return self._end(tail.partition("/")[2])
        answers: dict[str, Callable[[Body], Answer]] = {
            "sessions": lambda _: (200, {"sessions": self.devices}),
            "qr/undo": lambda _: (200, {"status": "ended"}),
            "account": lambda _: (
                200,
                {**self._account(user), "phone": self.numbers.get(user), "username": "*******2400937"},
            ),
            "session": lambda _: (204, None),
            f"{platform}/phone": lambda given: self._bind(user, given),
            "qr/scan": self._scan,
            "qr/face": lambda given: (200, {"face": {"verification": f"verify-{given['ticket']}"}}),
            "qr/confirm": self._confirm,
            "qr/reject": lambda given: self._settle(given, {"status": "rejected"}),
        }
        return answers[tail](body)

    def _end(self, session: str) -> Answer:
        left = [device for device in self.devices if device["id"] != session]
        if len(left) == len(self.devices):
            return problem(404, "session_unknown")
        self.devices = left
        return 204, None

    def _open(self, tail: str, body: Body) -> Answer:
        if tail == "session":
            user = self.codes.pop(str(body["code"]), None)
            if user is None:
                return problem(401, "login_code_invalid")
            return self._welcome(user)
        registration = str(body["registration"])
        if tail == "registration/claim":
            return self._claim(registration, body)
        if tail == "registration":
            if not str(body["document_number"])[-1:].isalnum():
                return problem(400, "invalid_request", errors=[{"field": "document_number", "code": "check_digit"}])
            self.registrations[registration] = body
            return 200, {"face": {"verification": f"verify-{registration}"}}
        outcome = self.outcomes.get(f"verify-{registration}")
        if outcome is None or self.pending > 0:
            self.pending -= 1
            return problem(409, "face_pending")
        if outcome != "pass":
            return problem(422, "face_failed", reason="failed")
        facts = self.registrations[registration]
        genuine = any(
            (p["name"], p["document_number"]) == (facts["name"], facts["document_number"]) and p["story"] != "mismatch"
            for p in PEOPLE
        )
        if not genuine:
            return problem(422, "identity_mismatch", advice=["check_again", "ask_issuer"])
        if self.found is not None:
            return 200, self.found
        self.known[registration] = str(facts["name"])
        return self._welcome(registration)

    def _claim(self, registration: str, body: Body) -> Answer:
        if body["mine"] and body.get("code") is None:
            return 202, {"status": "code_sent", "wait": 60}
        if body["mine"] and body["code"] != self.claim_code:
            return problem(422, "verification_code_wrong", tries_left=4)
        self.known[registration] = str(self.registrations[registration]["name"])
        return self._welcome(registration)

    def _bind(self, user: str, body: Body) -> Answer:
        if user in self.stale:
            return problem(400, "invalid_request", errors=[{"field": "code", "code": "refused"}])
        self.numbers[user] = "154****0009"
        return 200, {"phone": "154****0009"}

    def _welcome(self, user: str) -> Answer:
        if user not in self.known:
            return 200, {"status": "identity_required", "registration": user, "expires_in": 600}
        self.stale.discard(user)
        access = f"access-{len(self.tokens) + 1}"
        self.tokens[access] = user
        return 200, {
            "status": "ok",
            "access_token": access,
            "refresh_token": f"refresh-{user}",
            "expires_in": 900,
            "account": self._account(user),
        }

    def _refresh(self, body: Body) -> Answer:
        user = str(body["refresh_token"]).removeprefix("refresh-")
        if user not in self.known:
            return problem(401, "token_invalid")
        access = f"access-{len(self.tokens) + 1}"
        self.tokens[access] = user
        return 200, {"access_token": access, "refresh_token": f"refresh-{user}", "expires_in": 900}

    def _account(self, user: str) -> Body:
        return {"name": masked(self.known[user]), "level": "L3"}

    def _scan(self, body: Body) -> Answer:
        if body["scene"] not in LIVE_SCENES:
            return problem(403, "scene_refused")
        text = str(body["text"])
        if not text.startswith(PREFIX):
            return problem(400, "invalid_request", errors=[{"field": "text", "code": "malformed"}])
        return 200, {
            "ticket": text.removeprefix(PREFIX).partition(".")[0],
            "purpose": self.purpose,
            "confirm_token": "c" * 43,
            "expires_in": self.expires_in,
            "steps": self.steps,
            "request": self.request,
        } | ({"user_code": self.user_code} if self.purpose == "device" else {})

    @property
    def steps(self) -> list[str]:
        """What the phone has to do for the purpose."""
        before = {"face": ["face"], "device": ["compare"]}.get(self.purpose, [])
        return [*before, "confirm"]

    def _confirm(self, body: Body) -> Answer:
        if self.purpose == "face":
            outcome = self.outcomes.get(f"verify-{body['ticket']}")
            if outcome is None or self.pending > 0:
                self.pending -= 1
                return problem(409, "face_pending")
            if self.face_fails:
                return problem(422, "face_failed", reason="failed")
        return self._settle(body, {"status": "approved", "code": self.reverse_code})

    def _settle(self, body: Body, answer: Body) -> Answer:
        ticket = str(body["ticket"])
        first = self.first_answers.setdefault(ticket, answer)
        if first is not answer:
            return problem(409, "ticket_closed", answer=first)
        return 200, answer


class FakeControl:
    """The calls of ``/control`` that the simulator's pages make."""

    def __init__(self, server: FakeIdentityServer) -> None:
        """Hand login codes and camera outcomes to ``server``."""
        self.server = server
        self.letters = [
            {"at": "2027-01-15T08:00:00.000Z", "to": "15410000001", "text": "【北京市】验证码 482913", "code": "482913"}
        ]

    def mount(self, app: web.Application) -> None:
        """Add the calls to ``app``."""
        app.router.add_get("/control/people", self._people)
        app.router.add_post("/control/login-code", self._login_code)
        app.router.add_post("/control/phone-button", self._phone_button)
        app.router.add_post("/control/face", self._face)
        app.router.add_get("/control/inbox", self._inbox)

    async def _people(self, _request: web.Request) -> web.Response:
        return web.json_response(PEOPLE)

    async def _login_code(self, request: web.Request) -> web.Response:
        body = await request.json()
        code = f"code-{len(self.server.calls)}"
        self.server.codes[code] = body["user"]
        return web.json_response({"code": code})

    async def _phone_button(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["user"] not in {person["id"] for person in PEOPLE}:
            return web.json_response({"code": "number_unknown"}, status=409)
        given = {
            "wechat": {"code": f"phone-{len(self.server.calls)}", "encryptedData": "AAAA", "iv": "AAAA"},
            "alipay": {"response": "AAAA", "sign": "AAAA"},
            "baidu": {"data": "AAAA", "iv": "AAAA"},
        }
        return web.json_response(given[body["platform"]])

    async def _face(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.server.outcomes[body["verification"]] = body["outcome"]
        return web.json_response({})

    async def _inbox(self, request: web.Request) -> web.Response:
        return web.json_response([letter for letter in self.letters if letter["to"] == request.query["to"]])


class Simulator:
    """The simulator as it runs beside a fake identity server."""

    def __init__(self, server: FakeIdentityServer, url: str, server_url: str) -> None:
        """Bundle what a test steers and where it looks."""
        self.server = server
        self.url = url
        self.server_url = server_url


@asynccontextmanager
async def running(server: FakeIdentityServer | None = None) -> AsyncIterator[Simulator]:
    """Run the fake server and the simulator on free ports."""
    server = server or FakeIdentityServer()
    async with TestServer(server.app()) as identity:
        app = web.Application()
        server_url = str(identity.make_url("/")).rstrip("/")
        phone.mount(app, server_url=server_url, server_host=None)
        FakeControl(server).mount(app)
        async with TestServer(app) as sandbox:
            yield Simulator(server, str(sandbox.make_url("/")).rstrip("/"), server_url)
