"""What the kiosk asks of the identity server.

Owns its HTTP: the device grant of RFC 8628, who somebody is, and giving a token back. The kiosk keeps a secret, so no
proof by PKCE is asked of it; what a screen shows is worth nothing without that secret.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote_plus

import msgspec
from aiohttp import (
    ClientError,
    ClientSession,  # noqa: TID251 - the sandbox may not use bjidp.vendors.http; time-out and limits are set below
    ClientTimeout,
    DummyCookieJar,
    web,
)
from msgspec import Struct

from bjidp.sandbox.kiosk.frames import Frames
from bjidp.sandbox.kiosk.settings import GRANT, SCOPE, KioskSettings
from bjidp.sandbox.phone.bodies import TooLarge, drain

ANSWER_LIMIT: Final = 256 * 1024
TIME_OUT: Final = ClientTimeout(total=10.0)
WAITING: Final = frozenset({"authorization_pending", "slow_down"})


class Refused(Exception):
    """The server says no; ``error`` is its word for it."""

    def __init__(self, error: str) -> None:
        """Keep the word."""
        super().__init__(error)
        self.error = error


class Codes(Struct, frozen=True, kw_only=True):
    """What a device is given (RFC 8628, section 3.2)."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: float
    interval: float
    qr: Frames

    def __repr__(self) -> str:
        return "Codes(***)"


class Person(Struct, frozen=True):
    """Who has logged in, as far as a kiosk greets them; ``token`` is what ends it."""

    name: str
    level: str
    token: str

    def __repr__(self) -> str:
        return "Person(***)"


class _Endpoints(Struct, frozen=True):
    device_authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    introspection_endpoint: str
    revocation_endpoint: str


class Provider:
    """The identity server, as the kiosk sees it."""

    def __init__(self, settings: KioskSettings) -> None:
        """Ask as the client of ``settings``."""
        self._settings = settings
        proof = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}".encode()
        self._proof = {"Authorization": "Basic " + base64.b64encode(proof).decode()}
        self._client: ClientSession | None = None
        self._known: _Endpoints | None = None

    async def lifespan(self, _: web.Application) -> AsyncIterator[None]:
        """Keep one pool of connections while the application runs."""
        async with ClientSession(timeout=TIME_OUT, cookie_jar=DummyCookieJar()) as client:
            self._client = client
            yield
        self._client = None

    async def codes(self) -> Codes:
        """Ask for codes that a screen shows in frames; raise :class:`Refused`."""
        endpoints = await self._endpoints()
        given = await self._post(endpoints.device_authorization_endpoint, {"scope": SCOPE, "qr": "frames"})
        return msgspec.convert(given, Codes)

    async def person(self, codes: Codes) -> Person:
        """Return who has confirmed; raise :class:`Refused`, also while nobody has."""
        endpoints = await self._endpoints()
        asked = {"grant_type": GRANT, "device_code": codes.device_code}
        token = str((await self._post(endpoints.token_endpoint, asked))["access_token"])
        known = await self._ask("GET", endpoints.userinfo_endpoint, {"Authorization": f"Bearer {token}"})
        told = await self._post(endpoints.introspection_endpoint, {"token": token})
        return Person(str(known.get("nickname", "")), str(told.get("acr", "")), token)

    async def leave(self, token: str) -> None:
        """Give a token back; raise :class:`Refused`."""
        await self._post((await self._endpoints()).revocation_endpoint, {"token": token})

    async def _endpoints(self) -> _Endpoints:
        if self._known is None:
            found = await self._ask("GET", f"{self._settings.issuer}/.well-known/openid-configuration", {})
            self._known = msgspec.convert(found, _Endpoints)
        return self._known

    async def _post(self, address: str, fields: Mapping[str, str]) -> dict[str, Any]:
        return await self._ask("POST", address, self._proof, fields)

    async def _ask(
        self, method: str, address: str, headers: Mapping[str, str], fields: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        if self._client is None:
            raise RuntimeError("the kiosk works only while its application runs")
        tls = self._settings.tls or True
        try:
            asked = self._client.request(method, address, headers=headers, data=fields, ssl=tls, allow_redirects=False)
            async with asked as answer:
                told: dict[str, Any] = msgspec.json.decode(
                    await drain(answer.content, ANSWER_LIMIT), type=dict[str, Any]
                )
                status = answer.status
        except (ClientError, TimeoutError, TooLarge, msgspec.MsgspecError):
            raise Refused("unreachable") from None
        if status != HTTPStatus.OK:
            raise Refused(str(told.get("error", "unreachable")))
        return told
