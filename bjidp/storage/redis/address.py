"""How a Redis server is reached: the connections that are opened by its URL.

Owns log-in and choice of database for lanes. redis-py makes the TLS context, and the connections of those who listen
(:mod:`bjidp.storage.redis.signals`). Made by :mod:`bjidp.storage.redis.catalog`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Protocol, cast

from hiredis import ReplyError
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection

from bjidp.storage.redis.lane import Argument, Command, Lane, LogInRefused, Reply, kind_of
from bjidp.store_addresses import RedisConnection, read_redis_url


class Wire(Protocol):
    """What is used of a redis-py connection."""

    async def connect(self) -> None:
        """Open it, with TLS, log-in and database as the address says."""
        ...

    async def disconnect(self, nowait: bool = False) -> None:  # noqa: FBT001, FBT002 - redis-py's signature
        """Close it."""
        ...

    async def send_command(self, *command: Argument) -> None:
        """Pack and write a command."""
        ...

    async def read_response(self, *, timeout: float | None = None) -> Reply:
        """Return the next reply, or None after ``timeout`` seconds; raise what the server refuses."""
        ...


class Address:
    """One server, by its URL: ``redis://``, ``rediss://`` (TLS) or ``unix://``."""

    def __init__(self, url: str) -> None:
        """Read ``url``; raise :class:`bjidp.store_addresses.AddressFault`."""
        self._read = read_redis_url(url)

    def wire(self) -> Wire:
        """Return a connection of redis-py's, not yet open."""
        return cast("Wire", self._described())

    async def lane(self, deadline: float) -> Lane:
        """Return an open lane, logged in and on its database.

        Raises :class:`OSError`, ``StoreUnavailable``, and :class:`bjidp.storage.redis.lane.LogInRefused`.
        """
        described = self._described()
        lane = Lane(deadline)
        try:
            await _connect(lane, described)
            await _greet(lane, described)
        except BaseException:
            await lane.close()
            raise
        return lane

    def _described(self) -> RedisConnection:
        # No time-outs and no second attempts of its own: a deadline holds for the whole call, and a command that
        # was sent may have run, so sending it again is for the caller to decide.
        return self._read.kind(
            **{**self._read.options, "socket_timeout": None, "protocol": 2, "decode_responses": False}
        )


async def _connect(lane: Lane, described: RedisConnection) -> None:
    loop = asyncio.get_running_loop()
    if isinstance(described, UnixDomainSocketConnection):
        await loop.create_unix_connection(lambda: lane, described.path)
        return
    context = described.ssl_context.get() if isinstance(described, SSLConnection) else None
    transport, _ = await loop.create_connection(lambda: lane, described.host, described.port, ssl=context)
    connected = transport.get_extra_info("socket")
    # A peer that vanished while nobody asks is noticed by the kernel.
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in cast("dict[int, int]", described.socket_keepalive_options).items():
        # Not every system has every one of them.
        with contextlib.suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, option, value)


async def _greet(lane: Lane, described: RedisConnection) -> None:
    greeting: list[Command] = []
    if described.username:
        greeting.append(("AUTH", described.username, described.password or ""))
    elif described.password:
        greeting.append(("AUTH", described.password))
    if described.client_name:
        greeting.append(("CLIENT", "SETNAME", described.client_name))
    if described.db:
        greeting.append(("SELECT", described.db))
    # All in one go: a server that refuses the log-in refuses what follows it too.
    for reply in await asyncio.gather(*(lane.ask(command) for command in greeting)):
        if isinstance(reply, ReplyError):
            raise LogInRefused(kind_of(reply))
