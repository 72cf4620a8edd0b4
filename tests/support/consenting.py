"""Somebody logs in by their phone, agrees at the page of a site's request, and brings the site a code.

Owns the way from a site's request to what it is answered, in plain HTTP, at any server by its address.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Struct

from bjidp.commands.registrar import Given
from tests.support.browser import Browser
from tests.support.calls import Answer, Caller, request
from tests.support.forms import FORM, form_of, send

CALLBACK: Final = "https://site.example/callback"
VERIFIER: Final = "v" * 43
CHALLENGE: Final = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
METADATA: Final[Mapping[str, object]] = {
    "client_name": "示例网站",
    "client_uri": "https://site.example/",
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid profile offline_access",
}


class Consents(Struct, frozen=True):
    """A site that was registered with :data:`METADATA`, as whoever it is asks the server."""

    given: Given

    def asked(self, **change: str) -> dict[str, str]:
        """Return the parameters of its request."""
        sound = {
            "client_id": self.given.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid profile offline_access",
            "prompt": "consent",
            "state": "s1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (sound | change).items() if value}

    async def sent(self, browser: Browser, **change: str) -> Answer:
        """Send somebody to the server; return what their browser is answered."""
        return await browser.get(f"/oauth/authorize?{urlencode(self.asked(**change))}")

    async def code(self, browser: Browser) -> str:
        """Send somebody who is logged in; they agree. Return the code that they bring."""
        page = str((await self.sent(browser)).header("Location"))
        agreed = await send(browser, form_of(await browser.get(page), "/oauth/continue"), "agree")
        back = await browser.get(str(agreed.header("Location")))
        return dict(parse_qsl(urlsplit(str(back.header("Location"))).query))["code"]

    def exchanging(self, code: str, **change: str) -> dict[str, str]:
        """Return the parameters of an exchange."""
        sound = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return {name: value for name, value in (sound | change).items() if value}

    def as_request(self, caller: Caller, path: str, fields: Mapping[str, str]) -> bytes:
        """Return what the site asks by itself, as it goes down a connection."""
        headers = {name: value for name, value in self._headers(caller).items() if name != "Host"}
        return request(caller.to, "POST", path, headers=headers, body=urlencode(fields).encode())

    async def asks(self, caller: Caller, path: str, fields: Mapping[str, str]) -> Answer:
        """Ask by itself."""
        return await caller.send("POST", path, headers=self._headers(caller), body=urlencode(fields).encode())

    async def reads(self, caller: Caller, token: str) -> int:
        """Ask for userinfo; return the status."""
        shown = {"Host": caller.to.authority, "Authorization": f"Bearer {token}"}
        return (await caller.send("GET", "/oauth/userinfo", headers=shown)).status

    def _headers(self, caller: Caller) -> dict[str, str]:
        proof = base64.b64encode(f"{self.given.client_id}:{self.given.client_secret}".encode()).decode()
        return {"Host": caller.to.authority, "Content-Type": FORM, "Authorization": f"Basic {proof}"}
