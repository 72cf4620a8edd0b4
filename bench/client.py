"""A client that costs little: raw HTTP/1.1 and WebSocket frames over one asyncio protocol.

It is no part of any figure, and with a full client library it would be the slower side of most of them.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections import deque
from collections.abc import Coroutine
from typing import Final, cast

OPEN: Final = 10.0
"""Seconds for an answer or a message to arrive before the run is given up."""

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class Answer:
    __slots__ = ("body", "head", "status")

    def __init__(self, status: int, head: bytes, body: bytes) -> None:
        self.status = status
        self.head = head
        self.body = body

    def cookies(self) -> dict[str, str]:
        """Return the cookies it sets, by name."""
        found: dict[str, str] = {}
        for line in self.head.split(b"\r\n"):
            if line[:11].lower() == b"set-cookie:":
                name, _, value = line[11:].strip().partition(b";")[0].partition(b"=")
                found[name.decode()] = value.decode()
        return found


class Connection(asyncio.Protocol):
    """One connection: requests one after the other, and after an upgrade the messages of a WebSocket."""

    __slots__ = ("_buffer", "_messages", "_transport", "_upgraded", "_waiter", "closed")

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._messages: deque[str] = deque()
        self._upgraded = False
        self.closed: int | None = None
        """The close code, once the WebSocket is closed; 1006 when the connection ended without one."""

    @classmethod
    async def to(cls, port: int) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, "127.0.0.1", port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is one in all but name

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._upgraded:
            self._read_frames()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.closed is None:
            self.closed = 1006
        self._transport = None
        self._wake()

    def ask(self, request: bytes) -> Coroutine[None, None, Answer]:
        """Send a request at once, and return its answer when awaited."""
        self._send(request)
        return self._answer()

    async def _answer(self) -> Answer:
        while True:
            end = self._buffer.find(_END)
            if end >= 0:
                head = self._buffer[:end]
                length = _length(head)
                if len(self._buffer) >= end + 4 + length:
                    body = self._buffer[end + 4 : end + 4 + length]
                    self._buffer = self._buffer[end + 4 + length :]
                    return Answer(int(head[9:12]), head, body)
            await self._more()

    async def upgrade(self, request: bytes) -> None:
        """Turn into a WebSocket; raise :class:`RuntimeError` when the server will not."""
        answer = await self.ask(request)
        if answer.status != 101:
            raise RuntimeError(f"the upgrade was answered {answer.status}: {answer.body!r}")
        self._upgraded = True
        self._read_frames()

    async def message(self) -> str:
        """Return the next message; raise :class:`RuntimeError` when the socket is closed instead."""
        while not self._messages:
            if self.closed is not None:
                raise RuntimeError(f"the socket was closed: {self.closed}")
            await self._more()
        return self._messages.popleft()

    async def ended(self) -> int:
        """Return the code the server closed the socket with."""
        while self.closed is None:
            await self._more()
        return self.closed

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _send(self, data: bytes) -> None:
        if self._transport is None:
            raise RuntimeError("the connection is gone")
        self._transport.write(data)

    async def _more(self) -> None:
        if self._transport is None and not self._upgraded:
            raise RuntimeError("the connection ended in the middle of an answer")
        self._waiter = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(OPEN):
            await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _read_frames(self) -> None:
        # A server's frames are not masked, and none of these is fragmented (RFC 6455, section 5.2).
        while len(self._buffer) >= 2:
            length, start = self._buffer[1], 2
            if length == 126:
                length, start = int.from_bytes(self._buffer[2:4], "big"), 4
            if len(self._buffer) < start + length:
                return
            kind, payload = self._buffer[0] & 15, self._buffer[start : start + length]
            self._buffer = self._buffer[start + length :]
            match kind:
                case 1:
                    self._messages.append(payload.decode())
                case 8:
                    self.closed = int.from_bytes(payload[:2], "big")
                    self._send(_frame(_CLOSE, payload[:2]))
                case 9:
                    self._send(_frame(_PONG, payload))
                case _:
                    raise RuntimeError(f"a frame of kind {kind}")


def get(path: str, host: str, *fields: str) -> bytes:
    """Return a GET as it goes over the wire."""
    return "\r\n".join((f"GET {path} HTTP/1.1", f"Host: {host}", *fields, "", "")).encode()


def post(path: str, host: str, body: bytes, *fields: str, kind: str = "application/json") -> bytes:
    """Return a POST as it goes over the wire."""
    length = f"Content-Length: {len(body)}"
    head = (f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Type: {kind}", length, *fields, "", "")
    return "\r\n".join(head).encode() + body


def upgrade(path: str, host: str, *fields: str) -> bytes:
    """Return the request for a WebSocket of the QR channel."""
    key = base64.b64encode(os.urandom(16)).decode()
    return get(
        path,
        host,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Protocol: bjidp.qr.v1",
        *fields,
    )


def _length(head: bytes) -> int:
    at = head.lower().find(_LENGTH)
    return 0 if at < 0 else int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])


def _frame(kind: int, payload: bytes) -> bytes:
    # A client's frames are masked; a mask of zeros leaves the payload as it is.
    return bytes((128 | kind, 128 | len(payload))) + bytes(4) + payload
