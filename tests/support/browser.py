"""A browser on a computer, in plain HTTP: cookies, ``Origin``, the login page, its socket, the frames it would draw.

Owns what the login page's own script does, written down a second time from wire.md, section 2, so that a test speaks
to any server by its address alone.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any, Final

import aiohttp

from tests.support.calls import PATIENCE, Answer, Caller, Deployment

CHROME: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
IPHONE: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
    "Mobile/15E148 Safari/604.1"
)
SUBPROTOCOL: Final = "bjidp.qr.v1"
SECRET: Final = "bjidp_browser"
SESSION: Final = "bjidp_session"

Message = dict[str, Any]


class Screen:
    """A code on a screen: what the message ``ticket`` says, and the time it came."""

    def __init__(self, message: Message) -> None:
        """Show ``message``, which arrived just now."""
        assert message["type"] == "ticket", message
        self.message = message
        self.ticket = str(message["ticket"])
        self._shown_at = asyncio.get_running_loop().time() - float(message["elapsed"])

    @property
    def age(self) -> float:
        """Seconds since the ticket was issued."""
        return asyncio.get_running_loop().time() - self._shown_at

    @property
    def number(self) -> int:
        """The number of the frame that is on the screen now."""
        return int(self.age // float(self.message["step"]))

    def mac(self, number: int) -> str:
        """Return the MAC of a frame."""
        text = f"bjidp.qr.v1|{self.message['purpose']}|{self.ticket}|{number:03d}"
        key = base64.urlsafe_b64decode(self.message["key"] + "=" * (-len(self.message["key"]) % 4))
        return base64.urlsafe_b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).decode()[:12]

    def frame(self, number: int | None = None) -> str:
        """Return the text of a frame, by default of the one on the screen."""
        shown = self.number if number is None else number
        return f"{self.message['prefix']}{self.ticket}.{shown:03d}.{self.mac(shown)}"


class Socket:
    """An open socket of the page."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Listen on ``ws``."""
        self.ws = ws
        self.heard: list[Message] = []

    async def next(self, *kinds: str, within: float = PATIENCE) -> Message:
        """Return the next message, which has to be of one of ``kinds`` when any is given."""
        async with asyncio.timeout(within):
            frame = await self.ws.receive()
        assert frame.type is aiohttp.WSMsgType.TEXT, (frame.type, self.ws.close_code, frame.extra)
        message: Message = json.loads(frame.data)
        self.heard.append(message)
        assert not kinds or message["type"] in kinds, message
        return message

    async def screen(self) -> Screen:
        """Return the code that the next message shows."""
        return Screen(await self.next("ticket"))

    async def ends(self, within: float = PATIENCE) -> int:
        """Wait for the server to close the socket; return the code. What came before it is in ``heard``."""
        async with asyncio.timeout(within):
            while (frame := await self.ws.receive()).type is aiohttp.WSMsgType.TEXT:
                self.heard.append(json.loads(frame.data))
        # Not what the client makes of it: whose farewell could not be answered any more, was still told the code.
        assert frame.type is aiohttp.WSMsgType.CLOSE, frame
        return int(frame.data)

    async def renew(self) -> None:
        """Ask for a new code."""
        await self.ws.send_str('{"type":"renew"}')

    async def close(self) -> None:
        """Leave."""
        await self.ws.close()


class Browser:
    """One browser, with its cookies."""

    def __init__(self, caller: Caller, user_agent: str | None = CHROME) -> None:
        """Call through ``caller``."""
        self.caller = caller
        self.to: Deployment = caller.to
        self.cookies: dict[str, str] = {}
        self.user_agent = user_agent
        self.flow = ""
        self.csrf = ""

    @property
    def secret(self) -> str | None:
        """The browser secret."""
        return self.cookies.get(self.to.cookie(SECRET))

    @property
    def session(self) -> str | None:
        """The session cookie."""
        return self.cookies.get(self.to.cookie(SESSION))

    def copy(self) -> Browser:
        """Return the same browser as it is now: another tab that holds on to its cookies."""
        twin = Browser(self.caller, self.user_agent)
        twin.cookies, twin.flow, twin.csrf = dict(self.cookies), self.flow, self.csrf
        return twin

    def headers(self, origin: str | None = None, **more: str) -> dict[str, str]:
        """Return what this browser sends with every request, and ``Origin`` when one is given."""
        sent = {} if self.user_agent is None else {"User-Agent": self.user_agent}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return sent | ({} if origin is None else {"Origin": origin}) | more

    async def get(self, path: str, **more: str) -> Answer:
        """Navigate to a page, without following where it leads."""
        answer = await self.caller.send("GET", path, headers=self.headers(Accept="text/html", **more))
        return self.keep(answer)

    async def open(self, path: str = "/login", **more: str) -> Answer:
        """Open the login page, or another with a code, and read what its script would."""
        answer = await self.get(path, **more)
        assert answer.status == 200, answer
        self.flow = _first(r'data-flow="([^"]*)"', answer.text)
        token = re.search(r'name="csrf" value="([^"]*)"', answer.text)
        self.csrf = "" if token is None else token[1]
        return answer

    async def tickets(self, flow: str | None = None, **more: str) -> Answer:
        """Ask for the current message, as a page without a socket does."""
        body = {"flow": self.flow if flow is None else flow}
        return await self.caller.post("/qr/tickets", body, headers=self.headers(self.to.url, **more))

    async def screen(self) -> Screen:
        """Open the login page and return the code it shows."""
        await self.open()
        answer = await self.tickets()
        assert answer.status == 200, answer
        return Screen(answer.json())

    async def events(self, after: int | None = None, wait: int = 0, flow: str | None = None) -> Answer:
        """Wait for a message newer than ``after``, or for any."""
        path = f"/qr/events?flow={self.flow if flow is None else flow}&wait={wait}"
        if after is not None:
            path += f"&after={after}"
        return await self.caller.send("GET", path, headers=self.headers())

    async def message(self, kind: str) -> Message:
        """Return the newest message once it is of ``kind``."""
        after: int | None = None
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self.events(after, wait=5)
                assert answer.status in {200, 204}, answer
                if answer.status == 200:
                    message = answer.json()
                    if message["type"] == kind:
                        return message
                    after = int(message["seq"])

    async def knock(
        self, flow: str | None = None, *, origin: str | None = "", protocol: str = SUBPROTOCOL, query: str = ""
    ) -> aiohttp.ClientWebSocketResponse | int:
        """Ask for a socket; an empty ``origin`` stands for the page's own, None for none at all."""
        sent = self.headers(self.to.url if origin == "" else origin)
        path = f"/qr/channel?flow={self.flow if flow is None else flow}{query}"
        return await self.caller.upgrade(path, protocols=(protocol,) if protocol else (), headers=sent)

    async def connect(self) -> Socket:
        """Open the page's socket."""
        opened = await self.knock()
        assert not isinstance(opened, int), opened
        return Socket(opened)

    async def redeem(self, grant: str, code: str | None = None, **more: str) -> Answer:
        """Exchange a grant for a session."""
        body = {"grant": grant} | ({} if code is None else {"code": code})
        return self.keep(await self.caller.post("/qr/redeem", body, headers=self.headers(self.to.url, **more)))

    async def submit(self, path: str, fields: Mapping[str, str], **more: str) -> Answer:
        """Post a form of a page of ours."""
        body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
        sent = self.headers(self.to.url, **more) | {"Content-Type": "application/x-www-form-urlencoded"}
        return self.keep(await self.caller.send("POST", path, headers=sent, body=body))

    async def who(self) -> str | None:
        """Return the masked name the centre shows, or None when nobody is logged in here."""
        answer = await self.get("/centre")
        if answer.status != 200:
            return None
        return _first(r"([^\s>]+\*\*)", answer.text)

    def keep(self, answer: Answer) -> Answer:
        """Take the cookies that an answer sets; return the answer."""
        for line in answer.cookies:
            for name, morsel in SimpleCookie(line).items():
                if morsel.value and morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)
        return answer


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, (pattern, text)
    return found[1]
