"""The mini-program on a phone, in plain HTTP: login, registration with a face check, scan, confirm, reject.

Owns what 京通 does, written down a second time from wire.md, sections 3 and 4. The people are the sandbox's.
"""

from __future__ import annotations

import json
import time
from typing import Any, Final

from msgspec import Struct, field

from tests.support.browser import Screen
from tests.support.calls import Answer, Caller, Headers, pairs

CAMERA: Final = 0
"""The scene of the in-app 扫一扫, which takes nothing but the live camera."""

PLATFORMS: Final = ("wechat", "alipay", "baidu")


class Person(Struct, frozen=True):
    """A person of the sandbox, as much as a test needs of them."""

    id: str
    name: str
    document_type: str
    document_number: str
    phone: str
    story: str

    @property
    def facts(self) -> dict[str, str]:
        """What a registration states."""
        return {"document_type": self.document_type, "name": self.name, "document_number": self.document_number}

    @property
    def shown(self) -> str:
        """The name as others are shown it: always the same width, so that it tells nothing of the length."""
        return f"{self.name[0]}**"


class Tokens(Struct):
    """What a login in the mini-program yields; ``account`` is masked."""

    access: str
    refresh: str
    account: dict[str, Any]
    shown: list[float] = field(default_factory=list)
    """When the phone has shown them to the server: an account may ask so many things in a minute."""


class Phone:
    """One phone, logged in to the mini-program as one person of one platform."""

    def __init__(self, caller: Caller, platform: str, person: Person, tokens: Tokens) -> None:
        """Use :func:`log_in`."""
        self.caller = caller
        self.platform = platform
        self.person = person
        self.tokens = tokens

    @property
    def bearer(self) -> dict[str, str]:
        """The header that shows who calls."""
        self.tokens.shown.append(time.monotonic())
        return {"Authorization": f"Bearer {self.tokens.access}"}

    def through(self, caller: Caller) -> Phone:
        """Return the same phone calling through another client."""
        return Phone(caller, self.platform, self.person, self.tokens)

    async def call(self, name: str, value: object, *, headers: Headers = ()) -> Answer:
        """Call ``/mp/v1/qr/<name>``."""
        return await self.caller.post(f"/mp/v1/qr/{name}", value, headers=[*self.bearer.items(), *pairs(headers)])

    async def scan(self, what: Screen | str, scene: int = CAMERA) -> Answer:
        """Scan what a screen shows now, or a text."""
        text = what.frame() if isinstance(what, Screen) else what
        return await self.call("scan", {"text": text, "scene": scene})

    async def takes(self, screen: Screen) -> dict[str, Any]:
        """Scan and be told what for."""
        answer = await self.scan(screen)
        assert answer.status == 200, answer
        return answer.json()

    async def starts_face(self, scanned: dict[str, Any]) -> Answer:
        """Start the face check that what was scanned asks for."""
        return await self.call("face", {"ticket": scanned["ticket"], "confirm_token": scanned["confirm_token"]})

    async def shows_face(self, scanned: dict[str, Any], outcome: str = "pass") -> None:
        """Start the face check that what was scanned asks for, and let it end in front of the camera."""
        started = await self.starts_face(scanned)
        assert started.status == 200, started
        await before_the_camera(self.caller, started.json()["face"]["verification"], outcome)

    async def confirm(self, scanned: dict[str, Any]) -> Answer:
        """Confirm what was scanned."""
        return await self.call("confirm", {"ticket": scanned["ticket"], "confirm_token": scanned["confirm_token"]})

    async def reject(self, scanned: dict[str, Any], *, report: bool = False) -> Answer:
        """Refuse what was scanned."""
        body = {"ticket": scanned["ticket"], "confirm_token": scanned["confirm_token"], "report": report}
        return await self.call("reject", body)

    async def undo(self, ticket: str, *, report: bool = False) -> Answer:
        """Say of a confirmation that it was not oneself."""
        return await self.call("undo", {"ticket": ticket, "report": report})

    async def devices(self) -> list[dict[str, Any]]:
        """Read where the account is logged in."""
        answer = await self.caller.send("GET", "/mp/v1/sessions", headers=self.bearer)
        assert answer.status == 200, answer
        sessions: list[dict[str, Any]] = answer.json()["sessions"]
        return sessions

    async def end(self, session: str) -> Answer:
        """End one of one's sessions."""
        return await self.caller.send("DELETE", f"/mp/v1/sessions/{session}", headers=self.bearer)

    async def approves(self, screen: Screen) -> str | None:
        """Scan and confirm; return the two digits for the computer, if any."""
        answer = await self.confirm(await self.takes(screen))
        assert answer.status == 200, answer
        code = answer.json()["code"]
        assert code is None or isinstance(code, str)
        return code

    async def refresh(self) -> Answer:
        """Exchange the refresh token, and use the new pair from here on."""
        answer = await self.caller.post("/mp/v1/session/refresh", {"refresh_token": self.tokens.refresh})
        if answer.status == 200:
            pair = answer.json()
            self.tokens = Tokens(pair["access_token"], pair["refresh_token"], self.tokens.account)
        return answer

    async def bind(self, given: dict[str, str], *, merge: bool = False) -> Answer:
        """Bind the number behind what a phone button gave."""
        body = given | ({"merge": True} if merge else {})
        return await self.caller.post(f"/mp/v1/{self.platform}/phone", body, headers=self.bearer)

    async def account(self) -> Answer:
        """Read one's own account."""
        return await self.caller.send("GET", "/mp/v1/account", headers=self.bearer)


async def people(caller: Caller) -> list[Person]:
    """Return everybody the sandbox knows."""
    listed = await caller.sandbox("/control/people")
    return [Person(**{field: entry[field] for field in Person.__struct_fields__}) for entry in listed]


async def login_code(caller: Caller, platform: str, user: str) -> str:
    """Return what the platform's own login gives a user: a one-use code."""
    answered = await caller.sandbox("/control/login-code", {"platform": platform, "user": user})
    return str(answered["code"])


async def pressed(
    caller: Caller, platform: str, user: str, number: str | None = None, *, older: bool = False
) -> dict[str, str]:
    """Press a platform's phone button for a user; return what the mini-program passes on.

    ``older`` is WeChat's form from before there was a code.
    """
    body = {"platform": platform, "user": user} | ({} if number is None else {"number": number})
    given: dict[str, str] = await caller.sandbox("/control/phone-button", body)
    if platform != "wechat":
        return given
    return {"data": given["encryptedData"], "iv": given["iv"]} if older else {"code": given["code"]}


async def start_session(caller: Caller, platform: str, user: str) -> dict[str, Any]:
    """Log a user of the platform in; return ``ok`` or ``identity_required``."""
    answer = await caller.post(f"/mp/v1/{platform}/session", {"code": await login_code(caller, platform, user)})
    assert answer.status == 200, answer
    return answer.json()


async def state_identity(caller: Caller, platform: str, registration: str, person: Person) -> Answer:
    """State who one is, and open a face check."""
    body = {"registration": registration, **person.facts, "valid_days": 30, "agreed": ["terms", "privacy"]}
    return await caller.post(f"/mp/v1/{platform}/registration", body)


async def before_the_camera(caller: Caller, verification: str, outcome: str = "pass") -> None:
    """Let something happen in front of the camera."""
    await caller.sandbox("/control/face", {"verification": verification, "outcome": outcome})


async def complete(caller: Caller, platform: str, registration: str) -> Answer:
    """Ask what came of the face check."""
    return await caller.post(f"/mp/v1/{platform}/registration/complete", {"registration": registration})


async def log_in(caller: Caller, platform: str, person: Person) -> Phone:
    """Log a person in on a platform, with a face check if the server asks for one."""
    session = await start_session(caller, platform, person.id)
    if session["status"] == "identity_required":
        started = await state_identity(caller, platform, session["registration"], person)
        assert started.status == 200, (person.id, platform, started)
        await before_the_camera(caller, started.json()["face"]["verification"])
        done = await complete(caller, platform, session["registration"])
        assert done.status == 200, (person.id, platform, done)
        session = done.json()
    return Phone(
        caller, platform, person, Tokens(session["access_token"], session["refresh_token"], session["account"])
    )


def as_json(value: object) -> bytes:
    """Return a body as the phone sends it."""
    return json.dumps(value).encode()
