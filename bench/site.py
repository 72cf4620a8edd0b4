"""The site that sends its users to log in: what it asks of a provider, and a whole login that begins and ends there.

The same requests go to our server and to the one beside it (``bench/peer``).
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode, urlsafe_b64encode
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.client import Answer, Connection, get, post
from bench.login import Person, Place, log_in, visit

CLIENT: Final = "portal"
CLIENT_SECRET: Final = "secret"
CALLBACK: Final = "https://portal.example/callback"
SCOPE: Final = "openid profile phone"

VERIFIER: Final = "v" * 43
CHALLENGE: Final = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")

REQUEST: Final = urlencode(
    {
        "client_id": CLIENT,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": SCOPE,
        "state": "s",
        "nonce": "n",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
)

_BASIC: Final = "Authorization: Basic " + b64encode(f"{CLIENT}:{CLIENT_SECRET}".encode()).decode()
_FORM: Final = "application/x-www-form-urlencoded"
_HIDDEN: Final = re.compile(rb'<input type="hidden" name="(csrf|request)" value="([^"]*)">')


class Endpoints:
    """Where a provider is asked, which is what two of them may differ in."""

    def __init__(self, place: Place, *, token: str, userinfo: str) -> None:
        self.place = place
        self._token = token
        self._userinfo = userinfo

    async def exchange(self, http: Connection, code: str) -> str:
        """Exchange a code; return the access token."""
        body = urlencode(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        )
        answer = await http.ask(post(self._token, self.place.host, body.encode(), _BASIC, kind=_FORM))
        _check(answer, 200, "the exchange")
        given = json.loads(answer.body)
        if given["id_token"].count(".") != 2:
            raise RuntimeError("the exchange gave no ID token")
        return str(given["access_token"])

    async def userinfo(self, http: Connection, token: str) -> None:
        """Read what the owner of a token agreed may be read."""
        answer = await http.ask(get(self._userinfo, self.place.host, f"Authorization: Bearer {token}"))
        _check(answer, 200, "userinfo")
        if "preferred_username" not in json.loads(answer.body):
            raise RuntimeError("userinfo told no name")


def ours(place: Place) -> Endpoints:
    return Endpoints(place, token="/oauth/token", userinfo="/oauth/userinfo")


def peers(place: Place) -> Endpoints:
    return Endpoints(place, token="/token", userinfo="/me")


async def sent(place: Place, person: Person, browser: Connection, phone: Connection) -> tuple[str, dict[str, str]]:
    """Send a person to log in by QR, and follow them back; return the code they bring, and their browser's cookies."""
    led = await visit(place, browser, person.address, f"/oauth/authorize?{REQUEST}", {})
    _check(led, 303, "the request")
    turned = await visit(place, browser, person.address, _where(led), {})
    _check(turned, 303, "the request of somebody who is not logged in")
    login = await log_in(place, person, browser, phone, turned.cookies())
    redeemed = login.answers[-1]
    cookies = redeemed.cookies()
    back = json.loads(redeemed.body)["next"]
    return await _back(place, person, browser, back, cookies), cookies


async def again(place: Place, person: Person, browser: Connection, cookies: dict[str, str]) -> str:
    """Send somebody who is logged in; return the code they bring."""
    led = await visit(place, browser, person.address, f"/oauth/authorize?{REQUEST}", cookies)
    return await _back(place, person, browser, _where(led), cookies)


async def _back(place: Place, person: Person, browser: Connection, page: str, cookies: dict[str, str]) -> str:
    answer = await visit(place, browser, person.address, page, cookies)
    if answer.status == 200:
        # Somebody's first visit: they agree, and are asked no more.
        fields = {name.decode(): value.decode() for name, value in _HIDDEN.findall(answer.body)}
        headers = (
            f"X-Forwarded-For: {person.address}",
            f"Origin: http://{place.host}",
            "Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items()),
        )
        body = urlencode(fields | {"act": "agree"}).encode()
        agreed = await browser.ask(post("/oauth/continue", place.host, body, *headers, kind=_FORM))
        _check(agreed, 303, "the agreement")
        answer = await visit(place, browser, person.address, page, cookies)
    _check(answer, 303, "the way back")
    return parse_qs(urlsplit(_where(answer)).query)["code"][0]


def _where(answer: Answer) -> str:
    for line in answer.head.split(b"\r\n"):
        if line[:9].lower() == b"location:":
            return line[9:].strip().decode()
    raise RuntimeError("a redirect leads nowhere")


def _check(answer: Answer, status: int, step: str) -> None:
    if answer.status != status:
        raise RuntimeError(f"{step} was answered {answer.status}: {answer.body.decode(errors='replace')[-1000:]}")
