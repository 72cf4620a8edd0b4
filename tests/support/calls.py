"""HTTP as an attacker and an honest client send it: every header chosen, every answer kept.

Owns what a running server is to a black-box test (:class:`Deployment`), the client of ``browser`` and ``phone``, and
bare connections for what no client library would send. Knows nothing of the program but its addresses.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import aiohttp
from msgspec import Struct
from yarl import URL

PATIENCE: Final = 20.0
"""Seconds until something that does not happen has failed: a slow machine is no fault of the server."""

LARGE: Final = 1 << 20
"""Bytes of a body that is sent piece by piece."""

Headers = Mapping[str, str] | Sequence[tuple[str, str]]


class Deployment(Struct, frozen=True):
    """A running server: its base URL, where that is reached, and the sandbox behind it.

    ``at`` differs from ``url`` for a server whose base URL names a host that a proxy in front of it would have.
    """

    url: str
    sandbox: str
    at: str

    @property
    def server(self) -> str:
        """The base URL, as journeys in a browser call it."""
        return self.url

    @property
    def authority(self) -> str:
        """The ``Host`` of every request."""
        return self.url.partition("://")[2]

    @property
    def prefix(self) -> str:
        """What every QR text begins with (wire.md, section 2)."""
        return f"{self.url}/q/"

    @property
    def secure(self) -> bool:
        """Whether browsers reach it over https."""
        return self.url.startswith("https://")

    def cookie(self, name: str) -> str:
        """Return the full name of one of the server's cookies (wire.md, section 2)."""
        parts = urlsplit(self.url)
        return f"__Host-{name}" if self.secure else f"{name}_{parts.port or 80}"


class Answer(Struct, frozen=True):
    """What a server answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's value, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def cookies(self) -> list[str]:
        """Every ``Set-Cookie``."""
        return [value for key, value in self.headers if key.lower() == "set-cookie"]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> dict[str, Any]:
        """Return the body, which is a JSON object."""
        value = json.loads(self.body)
        assert isinstance(value, dict), value
        return value

    @property
    def code(self) -> str:
        """The code of a problem document; empty for anything else."""
        if self.header("Content-Type") != "application/problem+json":
            return ""
        return str(self.json()["code"])

    @property
    def verdict(self) -> tuple[int, str]:
        """Status and code."""
        return self.status, self.code

    @property
    def face(self) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """All that a caller can tell two answers apart by, but for the time of day."""
        return self.status, tuple(pair for pair in self.headers if pair[0].lower() != "date"), self.body


class Caller:
    """Sends requests to one deployment and to its sandbox. Follows no redirect and keeps no cookie by itself.

    ``source`` is an address of this machine to call from: to a server on loopback, each is another computer.
    """

    def __init__(self, deployment: Deployment, source: str | None = None) -> None:
        """Use it as an asynchronous context manager."""
        self.to = deployment
        self.heard: list[Answer] = []
        """Every answer of the server, for those who look for what must not be in any."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, local_addr=None if source is None else (source, 0)),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept"),
            timeout=aiohttp.ClientTimeout(total=60),
        )

    async def __aenter__(self) -> Self:
        """Be ready."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._session.close()

    async def send(self, method: str, path: str, *, headers: Headers = (), body: bytes | None = None) -> Answer:
        """Send a request to the server and return its answer."""
        async with self._session.request(
            method, self.to.at + path, headers=self._headers(headers), data=_payload(body), allow_redirects=False
        ) as response:
            answer = Answer(response.status, tuple(response.headers.items()), await response.read())
        self.heard.append(answer)
        return answer

    async def post(self, path: str, value: object, *, headers: Headers = ()) -> Answer:
        """Send ``value`` as JSON."""
        sent = [("Content-Type", "application/json"), *pairs(headers)]
        return await self.send("POST", path, headers=sent, body=json.dumps(value).encode())

    async def sandbox(self, path: str, value: object | None = None) -> Any:  # noqa: ANN401 - whatever JSON it answers
        """Ask the sandbox; raise when it refuses."""
        method = "GET" if value is None else "POST"
        async with self._session.request(method, self.to.sandbox + path, json=value) as response:
            answered = await response.read()
            assert response.status == 200, (path, response.status, answered)
            return json.loads(answered)

    async def outside(
        self, url: str, fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Open a page of another site, or post a form of one, without following where it leads."""
        method = "GET" if fields is None else "POST"
        async with self._session.request(
            method, URL(url, encoded=True), data=fields, headers=headers, allow_redirects=False
        ) as response:
            return Answer(response.status, tuple(response.headers.items()), await response.read())

    async def captcha(self, captcha: str) -> str:
        """Return what a captcha shows, as the sandbox of a demonstration was told; raise when it was not."""
        return str((await self.sandbox(f"/control/captcha?id={captcha}"))["answer"])

    async def upgrade(
        self, path: str, *, protocols: Sequence[str], headers: Headers
    ) -> aiohttp.ClientWebSocketResponse | int:
        """Open a socket; return it, or the status of the refusal."""
        try:
            return await self._session.ws_connect(
                self.to.at + path, protocols=protocols, headers=self._headers(headers), max_msg_size=1 << 20
            )
        except aiohttp.WSServerHandshakeError as refused:
            return refused.status

    def _headers(self, headers: Headers) -> list[tuple[str, str]]:
        return [("Host", self.to.authority), *pairs(headers)]


def pairs(headers: Headers) -> list[tuple[str, str]]:
    """Return headers as pairs, in order."""
    return list(headers.items()) if isinstance(headers, Mapping) else list(headers)


async def until(ask: Callable[[], Awaitable[bool]], within: float = PATIENCE) -> None:
    """Ask the server until its answer is yes; raise :class:`TimeoutError`."""
    async with asyncio.timeout(within):
        while True:
            if await ask():
                return
            await asyncio.sleep(0.2)


class Line:
    """One bare connection: bytes go out when the test says so."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use :meth:`open`."""
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, deployment: Deployment) -> Self:
        """Connect."""
        parts = urlsplit(deployment.at)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def say(self, octets: bytes) -> None:
        """Send bytes."""
        self._writer.write(octets)
        await self._writer.drain()

    async def answer(self) -> Answer:
        """Read an answer up to the end of the connection, or of its body when that has a length."""
        async with asyncio.timeout(PATIENCE):
            head = await self._reader.readuntil(b"\r\n\r\n")
            status, *lines = head.decode("latin-1").rstrip().split("\r\n")
            headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
            answer = Answer(int(status.split()[1]), headers, b"")
            if answer.status < 200:
                # More follows, and none of it is this one's body (RFC 9112, section 6.3).
                return answer
            length = answer.header("Content-Length")
            body = await (self._reader.read() if length is None else self._reader.readexactly(int(length)))
        return Answer(answer.status, headers, body)

    @property
    def ended(self) -> bool:
        """Whether the server has hung up and everything it said was read."""
        return self._reader.at_eof() or self._reader.exception() is not None

    async def rest(self) -> bytes:
        """Read whatever comes before the server hangs up."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self._reader.read()
            except ConnectionResetError:
                return b""

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)


def request(deployment: Deployment, method: str, path: str, *, headers: Headers = (), body: bytes = b"") -> bytes:
    """Return a request as bytes, for a :class:`Line`."""
    own = [("Host", deployment.authority), ("Connection", "close"), ("Content-Length", str(len(body)))]
    head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in (*own, *pairs(headers)))]
    return "\r\n".join((*head, "", "")).encode("latin-1") + body


async def at_once(deployment: Deployment, requests: Sequence[bytes]) -> list[Answer]:
    """Send requests that end in the same instant: all but the last byte of each first (last-byte synchronisation)."""
    lines = [await Line.open(deployment) for _ in requests]
    try:
        for line, whole in zip(lines, requests, strict=True):
            await line.say(whole[:-1])
        await asyncio.gather(*(line.say(whole[-1:]) for line, whole in zip(lines, requests, strict=True)))
        return await asyncio.gather(*(line.answer() for line in lines))
    finally:
        await asyncio.gather(*(line.close() for line in lines))


def _payload(body: bytes | None) -> bytes | io.BytesIO | None:
    # A large one that stands as bytes is a warning of the client's, and those are errors here.
    return body if body is None or len(body) < LARGE else io.BytesIO(body)
