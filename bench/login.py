"""One whole QR login, as the page and the phone make it: page, channel, scan, confirm, redeem.

The static files are not asked for: a browser has them from the first visit. HTTP goes over connections that stay, as
from a proxy in front of the server; the WebSocket is a connection of its own, as it always is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from bench.client import Answer, Connection, get, post, upgrade

AGENT = (
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
    " Safari/537.36"
)
_PAGE = (
    AGENT,
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: zh-CN,zh;q=0.9",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Dest: document",
    "Upgrade-Insecure-Requests: 1",
)
_SCRIPT = (
    AGENT,
    "Accept: */*",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: zh-CN,zh;q=0.9",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: cors",
    "Sec-Fetch-Dest: empty",
)
_PHONE = (
    "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.60",
    "Accept-Encoding: gzip, deflate, br",
)

_FLOW = re.compile(rb'data-flow="([A-Za-z0-9_-]+)"')


class Person(NamedTuple):
    """Somebody with a phone that is logged in, who sits in a network of their own."""

    token: str
    address: str


class Place(NamedTuple):
    """A server under measurement."""

    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


class Waiting(NamedTuple):
    """A page that shows a ticket."""

    socket: Connection
    cookie: str
    ticket: dict[str, object]
    shown_at: float


class Login(NamedTuple):
    """What one login was: the answers in order, the messages, and the seconds from confirm to page."""

    answers: tuple[Answer, ...]
    messages: tuple[str, ...]
    seconds: float


async def visit(place: Place, http: Connection, address: str, path: str, cookies: dict[str, str]) -> Answer:
    """Open a page as a browser does that was led there."""
    held = (f"Cookie: {_cookie(cookies)}",) if cookies else ()
    return await http.ask(get(path, place.host, f"X-Forwarded-For: {address}", *_PAGE, *held))


async def open_page(
    place: Place, http: Connection, address: str, cookies: dict[str, str] | None = None
) -> tuple[Answer, Waiting, str]:
    """Open the login page and its channel; return when the ticket is there."""
    origin = f"Origin: http://{place.host}"
    via = f"X-Forwarded-For: {address}"
    page = await visit(place, http, address, "/login", cookies or {})
    flow = _FLOW.search(page.body)
    if page.status != 200 or flow is None:
        raise RuntimeError(f"the page was answered {page.status}")
    cookie = f"Cookie: {_cookie((cookies or {}) | page.cookies())}"
    socket = await Connection.to(place.port)
    await socket.upgrade(upgrade(f"/qr/channel?flow={flow[1].decode()}", place.host, via, origin, cookie, AGENT))
    text = await socket.message()
    return page, Waiting(socket, cookie, json.loads(text), time.perf_counter()), text


async def log_in(
    place: Place, person: Person, browser: Connection, phone: Connection, cookies: dict[str, str] | None = None
) -> Login:
    """Log one person in on a new page; ``browser`` and ``phone`` are connections that stay."""
    via = f"X-Forwarded-For: {person.address}"
    bearer = f"Authorization: Bearer {person.token}"
    page, waiting, shown = await open_page(place, browser, person.address, cookies)
    text = _frame(waiting.ticket, time.perf_counter() - waiting.shown_at)
    body = json.dumps({"text": text, "scene": 0}).encode()
    scan = await phone.ask(post("/mp/v1/qr/scan", place.host, body, via, bearer, *_PHONE))
    _check(scan, "scan")
    scanned = await waiting.socket.message()
    held = json.loads(scan.body)
    body = json.dumps({"ticket": held["ticket"], "confirm_token": held["confirm_token"]}).encode()
    request = post("/mp/v1/qr/confirm", place.host, body, via, bearer, *_PHONE)
    begun = time.perf_counter()
    confirming = phone.ask(request)
    approved = await waiting.socket.message()
    seconds = time.perf_counter() - begun
    confirm = await confirming
    _check(confirm, "confirm")
    grant = json.loads(approved)
    if grant["type"] != "approved" or grant["code_required"]:
        raise RuntimeError(f"after the confirm the page was told {grant['type']}")
    body = json.dumps({"grant": grant["grant"]}).encode()
    origin = f"Origin: http://{place.host}"
    redeem = await browser.ask(post("/qr/redeem", place.host, body, via, origin, waiting.cookie, *_SCRIPT))
    _check(redeem, "redeem")
    code = await waiting.socket.ended()
    if code != 1000:
        raise RuntimeError(f"after the redeem the socket was closed with {code}")
    return Login((page, scan, confirm, redeem), (shown, scanned, approved), seconds)


def _cookie(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _check(answer: Answer, step: str) -> None:
    if answer.status != 200:
        raise RuntimeError(f"{step} was answered {answer.status}: {answer.body.decode(errors='replace')}")


def _frame(ticket: dict[str, object], since: float) -> str:
    age, step = ticket["elapsed"], ticket["step"]
    assert isinstance(age, float | int)
    assert isinstance(step, float | int)
    number = int((age + since) // step)
    key = str(ticket["key"])
    message = f"bjidp.qr.v1|{ticket['purpose']}|{ticket['ticket']}|{number:03d}"
    mac = hmac.digest(urlsafe_b64decode(key + "=" * (-len(key) % 4)), message.encode(), hashlib.sha256)
    return f"{ticket['prefix']}{ticket['ticket']}.{number:03d}.{urlsafe_b64encode(mac)[:12].decode()}"
