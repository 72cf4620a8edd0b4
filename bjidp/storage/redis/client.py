"""One connection to Redis that the whole process shares.

Owns connecting, the order of replies, deadlines, and the translation of every driver error into
``StoreUnavailable``. Commands of all requests go down one connection without waiting for each other: measured on one
core, a command costs 10-15 µs that way and 50-60 µs through redis-py's pool, and no burst of logins opens hundreds
of connections. redis-py does what it is best at: addresses, TLS, authentication, the protocol.

Every command names one key, or none, so a link to a cluster can pick the node by it: :class:`Link` is that seam.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias, cast

import structlog
from hiredis import pack_command
from redis.asyncio.connection import Connection, parse_url
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError, ResponseError

from bjidp.errors import StoreUnavailable

Reply: TypeAlias = "bytes | int | list[Reply] | None"
Argument: TypeAlias = bytes | str | int

DEADLINE = 2.0
"""Seconds a caller waits for an answer, connecting included."""

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""Seconds between attempts to connect. Whoever asks in a pause is refused at once: no storm on a server that starts."""

log = structlog.get_logger(__name__)


class Script:
    """A Lua script, sent by its digest (SHA-1 is what EVALSHA asks for; it protects nothing)."""

    __slots__ = ("digest", "text")

    def __init__(self, text: str) -> None:
        """Take the script's text."""
        self.text = text
        self.digest = hashlib.sha1(text.encode("ascii"), usedforsecurity=False).hexdigest()


class Wire(Protocol):
    """What is used of a redis-py connection."""

    @property
    def is_connected(self) -> bool:
        """Whether it is open."""
        ...

    async def connect(self) -> None:
        """Open it, with TLS, log-in and database as the address says."""
        ...

    async def disconnect(self, nowait: bool = False) -> None:  # noqa: FBT001, FBT002 - redis-py's signature
        """Close it."""
        ...

    async def send_command(self, *command: Argument) -> None:
        """Pack and write a command."""
        ...

    async def send_packed_command(self, command: Iterable[bytes], check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's signature
        """Write a packed command."""
        ...

    async def read_response(self, *, timeout: float | None = None) -> Reply:
        """Return the next reply, or None after ``timeout`` seconds; raise what the server refuses."""
        ...


class Link(Protocol):
    """Where commands go.

    Raises ``StoreUnavailable`` in bounded time, and then nobody knows whether a change has happened.
    """

    async def call(self, *command: Argument) -> Reply:
        """Send one command and return its reply."""
        ...

    async def run(self, script: Script, key: str, *arguments: Argument) -> Reply:
        """Run a script on one key and return its reply."""
        ...


def connections(url: str) -> Callable[[], Wire]:
    """Return what makes connections to ``url``: ``redis://``, ``rediss://`` (TLS) or ``unix://``.

    Raises :class:`ValueError`, without repeating the address, since it may hold a password.
    """
    scheme = url.partition("://")[0]
    if scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("the Redis address must begin with redis://, rediss:// or unix://")
    # redis-py types these as a closed dictionary of what a URL may say; a connection takes them as keywords.
    options = cast("dict[str, Any]", parse_url(url))
    made_by: Callable[..., object] = options.pop("connection_class", Connection)

    def connect() -> Wire:
        # No time-outs and no second attempts of its own: a deadline holds for the whole call, and a command that
        # was sent may have run, so sending it again is for the caller to decide.
        made = made_by(**{**options, "socket_timeout": None, "protocol": 2, "decode_responses": False})
        return cast("Wire", made)

    return connect


class RedisLink:
    """A link to one server. What it breaks with is told to whoever waits; the next caller connects again."""

    def __init__(self, connect: Callable[[], Wire], *, deadline: float = DEADLINE) -> None:
        """Connect when first asked to; ``deadline`` is in seconds."""
        self._connect = connect
        self._deadline = deadline
        self._lane: _Lane | None = None
        self._opening: asyncio.Task[_Lane] | None = None
        self._pause = 0.0
        self._closed_until = 0.0
        self._closed = False

    async def call(self, *command: Argument) -> Reply:
        """See :meth:`Link.call`."""
        reply = await self._send(command)
        if isinstance(reply, ResponseError):
            raise _refused(reply) from reply
        return reply

    async def run(self, script: Script, key: str, *arguments: Argument) -> Reply:
        """See :meth:`Link.run`."""
        reply = await self._send(("EVALSHA", script.digest, 1, key, *arguments))
        if isinstance(reply, NoScriptError):
            # The server has started anew, or never saw it; it has run nothing, so this is no repetition.
            reply = await self._send(("EVAL", script.text, 1, key, *arguments))
        if isinstance(reply, ResponseError):
            raise _refused(reply) from reply
        return reply

    async def close(self) -> None:
        """Hang up for good; callers that wait are refused, and so are those that come later."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
        if self._lane is not None:
            await self._lane.close()

    async def _send(self, command: tuple[Argument, ...]) -> Reply | ResponseError:
        lane = self._lane
        try:
            if lane is not None and not lane.broken:
                return await lane.ask(command)
            async with asyncio.timeout(self._deadline):
                lane = await self._reopened()
                return await lane.ask(command)
        except TimeoutError as error:
            if lane is not None:
                lane.give_up()
            raise StoreUnavailable from error
        except (OSError, RedisError) as error:
            raise StoreUnavailable from error

    async def _reopened(self) -> _Lane:
        if self._opening is None:
            loop = asyncio.get_running_loop()
            if self._closed or loop.time() < self._closed_until:
                raise ConnectionError("closed, or waiting to connect again")
            self._opening = loop.create_task(self._open())
            self._opening.add_done_callback(self._opened)
        opening = self._opening
        try:
            # One attempt for all who wait; that one of them gives up is nothing to the others.
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            if opening.cancelled():
                raise ConnectionError("closed while connecting") from None
            raise

    async def _open(self) -> _Lane:
        async with asyncio.timeout(self._deadline):
            connection = self._connect()
            try:
                await connection.connect()
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
        return _Lane(connection, self._deadline)

    def _opened(self, opening: asyncio.Task[_Lane]) -> None:
        self._opening = None
        if opening.cancelled():
            return
        error = opening.exception()
        if error is not None:
            log.warning("redis_unreachable", error=type(error).__name__)
            self._pause = min(max(FIRST_PAUSE, self._pause * 2), LONGEST_PAUSE)
            self._closed_until = asyncio.get_running_loop().time() + self._pause
        else:
            self._pause = 0.0
            self._lane = opening.result()


class _Waiting:
    """A caller's place in the line."""

    __slots__ = ("answer", "since")

    def __init__(self, answer: asyncio.Future[Reply | ResponseError], since: float) -> None:
        self.answer = answer
        self.since = since


class _Lane:
    """One open connection: commands in, replies out, in the same order.

    Commands of one turn of the event loop leave in one write, and one timer watches over all who wait: a login makes
    forty commands, and a write and a time-out for each were half of what they cost.
    """

    def __init__(self, connection: Wire, deadline: float) -> None:
        self.broken = False
        self._connection = connection
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Waiting] = deque()
        self._unsent: list[bytes] = []
        self._writer: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._reader = self._loop.create_task(self._read())

    async def ask(self, command: tuple[Argument, ...]) -> Reply | ResponseError:
        if self.broken or not self._connection.is_connected:
            raise ConnectionError("the connection is gone")
        answer: asyncio.Future[Reply | ResponseError] = self._loop.create_future()
        # Nothing is awaited between taking a place in the line and in the next write, so that both have one order.
        self._unsent.append(_pack(command))
        self._waiting.append(_Waiting(answer, self._loop.time()))
        if self._writer is None:
            self._writer = self._loop.create_task(self._write())
        if self._watch is None:
            self._watch = self._loop.call_later(self._deadline, self._judge)
        return await answer

    def give_up(self) -> None:
        """Hang up on a server that is silent; whoever waits is refused."""
        if not self.broken:
            log.warning("redis_silent", seconds=self._deadline)
        self.broken = True
        self._reader.cancel()

    def _judge(self) -> None:
        self._watch = None
        if self._waiting and not self.broken:
            left = self._waiting[0].since + self._deadline - self._loop.time()
            if left > 0:
                self._watch = self._loop.call_later(left, self._judge)
            else:
                self.give_up()

    async def _write(self) -> None:
        try:
            while self._unsent:
                commands, self._unsent = self._unsent, []
                await self._connection.send_packed_command((b"".join(commands),), check_health=False)
        except (OSError, RedisError):
            # The reader is told by the connection itself; this is for one that would not notice.
            self.broken = True
            self._reader.cancel()
        finally:
            self._writer = None

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.wait([self._reader])

    async def _read(self) -> None:
        try:
            while True:
                answer: Reply | ResponseError
                try:
                    answer = await self._connection.read_response()
                except ResponseError as error:
                    answer = error
                place = self._waiting.popleft()
                if not place.answer.done():
                    place.answer.set_result(answer)
                if isinstance(answer, ReadOnlyError):
                    # The server is no primary any more: ask the address again who is.
                    break
        except (OSError, RedisError, IndexError) as error:
            log.warning("redis_connection_lost", error=type(error).__name__)
        finally:
            self.broken = True
            if self._watch is not None:
                self._watch.cancel()
            if self._writer is not None:
                self._writer.cancel()
            for place in self._waiting:
                if not place.answer.done():
                    place.answer.set_exception(ConnectionError("the connection broke"))
            await self._connection.disconnect(nowait=True)


# Its stub takes tuples of one argument only.
_pack = cast("Callable[[tuple[Argument, ...]], bytes]", pack_command)


def _refused(reply: ResponseError) -> StoreUnavailable:
    # The first word of a reply is its kind (OOM, LOADING, WRONGTYPE); the rest may quote keys.
    log.error("redis_refused", error=type(reply).__name__, kind=str(reply).partition(" ")[0][:32])
    return StoreUnavailable()
