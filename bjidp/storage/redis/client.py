"""The link to Redis that the whole process shares.

Owns connecting and connecting again, deadlines, and the translation of every driver error into ``StoreUnavailable``.
Commands of all requests go down one connection without waiting for each other, so no burst of logins opens hundreds
of connections.

Every command names one key, or none, so a link to a cluster can pick the node by it: :class:`Link` is that seam.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from hiredis import ReplyError
from redis.exceptions import RedisError

from bjidp.errors import StoreUnavailable
from bjidp.storage.redis.lane import Argument, Command, Lane, LogInRefused, Reply, kind_of

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


class RedisLink:
    """A link to one server. What it breaks with is told to whoever waits; the next caller connects again."""

    def __init__(self, connect: Callable[[float], Awaitable[Lane]], *, deadline: float = DEADLINE) -> None:
        """Connect when first asked to, by ``connect``; ``deadline`` is in seconds."""
        self._connect = connect
        self._deadline = deadline
        self._lane: Lane | None = None
        self._opening: asyncio.Task[Lane] | None = None
        self._pause = 0.0
        self._closed_until = 0.0
        self._closed = False

    async def call(self, *command: Argument) -> Reply:
        """See :meth:`Link.call`."""
        reply = await self._send(command)
        if isinstance(reply, ReplyError):
            raise _refused(reply) from reply
        return reply

    async def run(self, script: Script, key: str, *arguments: Argument) -> Reply:
        """See :meth:`Link.run`."""
        reply = await self._send(("EVALSHA", script.digest, 1, key, *arguments))
        if isinstance(reply, ReplyError):
            if kind_of(reply) == "NOSCRIPT":
                # The server has started anew, or never saw it; it has run nothing, so this is no repetition.
                return await self.call("EVAL", script.text, 1, key, *arguments)
            raise _refused(reply) from reply
        return reply

    async def close(self) -> None:
        """Hang up for good; callers that wait are refused, and so are those that come later."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
        if self._lane is not None:
            await self._lane.close()

    def _send(self, command: Command) -> Awaitable[Reply | ReplyError]:
        lane = self._lane
        return self._send_anew(command) if lane is None or lane.broken else lane.ask(command)

    async def _send_anew(self, command: Command) -> Reply | ReplyError:
        try:
            async with asyncio.timeout(self._deadline):
                lane = await self._reopened()
                return await lane.ask(command)
        except (OSError, RedisError) as error:
            # That this caller's time is over, most of it spent on connecting, says nothing of the lane: it watches over
            # the server's silence by itself, and others who ask down it have time left.
            raise StoreUnavailable from error

    async def _reopened(self) -> Lane:
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

    async def _open(self) -> Lane:
        async with asyncio.timeout(self._deadline):
            return await self._connect(self._deadline)

    def _opened(self, opening: asyncio.Task[Lane]) -> None:
        self._opening = None
        if opening.cancelled():
            return
        error = opening.exception()
        if error is not None:
            reason = error.kind if isinstance(error, LogInRefused) else None
            log.warning("redis_unreachable", error=type(error).__name__, reason=reason)
            self._pause = min(max(FIRST_PAUSE, self._pause * 2), LONGEST_PAUSE)
            self._closed_until = asyncio.get_running_loop().time() + self._pause
        else:
            self._pause = 0.0
            self._lane = opening.result()


def _refused(reply: ReplyError) -> StoreUnavailable:
    log.error("redis_refused", kind=kind_of(reply))
    return StoreUnavailable()
