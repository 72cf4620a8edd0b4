"""What a terminal asks of a server: where its endpoints are, codes, tokens, who it is, and the end of it.

Owns the HTTP of a client of RFC 8628, and what it says when a server does not answer as one. Nothing that a server
sends is printed but a name, an error's own word, and what has been checked.
"""

from __future__ import annotations

import ssl
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
from msgspec import Struct

from bjidp.terminal.words import Said
from bjidp.vendors.http import HttpLimits, open_session

T = TypeVar("T")

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
SIZE_MAX: Final = 256 * 1024
PATIENCE: Final = HttpLimits(total=15.0, connect=10.0)
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class LoginFailed(Said):
    """It has not come to a login; its words say why, for whoever sits at the terminal."""


class Unreachable(LoginFailed):
    """The server does not answer just now."""


class Refused(Said):
    """The server says no in the protocol's words; ``error`` is its code."""

    def __init__(self, error: str, description: str) -> None:
        """Keep both."""
        super().__init__("failed.refused", error=error, description=description)
        self.error = error


class Endpoints(Struct, frozen=True, kw_only=True):
    """Where a server is asked what (RFC 8414)."""

    issuer: str
    token_endpoint: str
    device_authorization_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    revocation_endpoint: str | None = None
    channel: str | None = msgspec.field(default=None, name="bjidp_device_channel_endpoint")


class Frames(Struct, frozen=True):
    """What rotating frames are made with (docs/wire.md, section 2)."""

    key: str
    step: float
    elapsed: float


class Codes(Struct, frozen=True, kw_only=True):
    """What a device is given (RFC 8628, section 3.2)."""

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: float
    verification_uri_complete: str | None = None
    interval: float = 5.0
    qr: Frames | None = None

    def __repr__(self) -> str:
        return "Codes(***)"


class Given(Struct, frozen=True, kw_only=True):
    """Tokens (RFC 6749, section 5.1)."""

    access_token: str
    expires_in: int
    scope: str = ""
    refresh_token: str | None = None
    id_token: str | None = None

    def __repr__(self) -> str:
        return "Given(***)"


class _Error(Struct, frozen=True):
    error: str
    error_description: str = ""


class Server:
    """One server, asked in plain HTTP."""

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        """Ask the server at ``url``, whose certificate ``tls`` trusts, if it is none that everybody does.

        Raises :class:`LoginFailed` for an address that tokens must not travel to.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise LoginFailed("failed.address", url=url)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise LoginFailed("failed.clear", url=url)
        self.url = url.rstrip("/")
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None  # noqa: TID251 - what vendors.http opens

    async def __aenter__(self) -> Self:
        self._session = open_session(PATIENCE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def endpoints(self) -> Endpoints:
        """Return where it is asked what; raise :class:`LoginFailed`."""
        found = await self._ask("GET", f"{self.url}/.well-known/openid-configuration", Endpoints)
        if found.issuer != self.url:
            # Whoever answers for somebody else is not to be asked for tokens (RFC 8414, section 3.3).
            raise LoginFailed("failed.issuer", url=self.url, issuer=printable(found.issuer))
        return found

    async def codes(self, endpoints: Endpoints, fields: dict[str, str]) -> Codes:
        """Ask for codes; raise :class:`LoginFailed` and :class:`Refused`."""
        if endpoints.device_authorization_endpoint is None:
            raise LoginFailed("failed.no_devices", url=self.url)
        return await self._ask("POST", endpoints.device_authorization_endpoint, Codes, fields)

    async def tokens(self, endpoints: Endpoints, fields: dict[str, str]) -> Given:
        """Ask for tokens; raise :class:`LoginFailed` and :class:`Refused`."""
        return await self._ask("POST", endpoints.token_endpoint, Given, fields)

    async def who(self, endpoints: Endpoints, access_token: str) -> str | None:
        """Return the name that the server shows of whoever logged in, if it tells one."""
        if endpoints.userinfo_endpoint is None:
            return None
        try:
            found = await self._ask("GET", endpoints.userinfo_endpoint, dict[str, Any], bearer=access_token)
        except (LoginFailed, Refused):
            # They are logged in, whatever can be told of them.
            return None
        name = found.get("nickname") or found.get("preferred_username")
        return printable(name) if isinstance(name, str) else None

    async def revoke(self, endpoints: Endpoints, client_id: str, token: str) -> None:
        """End what came of a login; raise :class:`LoginFailed` and :class:`Refused`."""
        if endpoints.revocation_endpoint is None:
            raise LoginFailed("failed.no_revocation", url=self.url)
        await self._ask("POST", endpoints.revocation_endpoint, dict[str, Any], {"client_id": client_id, "token": token})

    async def _ask(
        self, method: str, address: str, kind: type[T], fields: dict[str, str] | None = None, bearer: str | None = None
    ) -> T:
        if self._session is None:
            raise RuntimeError("asked outside its context")
        headers = {"Accept": "application/json"} | ({} if bearer is None else {"Authorization": f"Bearer {bearer}"})
        try:
            asked = self._session.request(
                method, address, data=fields, headers=headers, allow_redirects=False, ssl=self._tls or True
            )
            async with asked as answer:
                octets = await _read(answer.content)
                status = answer.status
        except aiohttp.ClientConnectorCertificateError:
            raise LoginFailed("failed.certificate", url=self.url) from None
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise Unreachable("failed.silent", url=self.url) from None
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unreachable("failed.unable", url=self.url, status=str(int(status)))
        try:
            if status == HTTPStatus.OK:
                return msgspec.json.decode(octets, type=kind)
            told = msgspec.json.decode(octets, type=_Error)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise LoginFailed("failed.foreign", url=self.url, status=str(int(status))) from None
        raise Refused(printable(told.error), printable(told.error_description))


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Return an answer to its end, in whatever pieces it comes; nothing of one that is too long."""
    octets = bytearray()
    async for piece in content.iter_any():
        octets += piece
        if len(octets) > SIZE_MAX:
            return b""
    return bytes(octets)


def printable(text: str) -> str:
    """Return ``text`` without whatever a terminal would obey, and not too long."""
    return "".join(letter for letter in text[:200] if letter.isprintable())
