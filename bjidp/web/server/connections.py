"""The connections underneath the requests: how long one may stay silent, how many one peer has, what is said of noise.

Owns aiohttp's protocol as this server runs it. Made by ``serving`` around the application; whatever arrives as a whole
request is the handlers' business, all that happens before and between requests is this module's. A connection that
sends nothing costs a file descriptor and nothing else can take it back (attack W9), so:

- a request's head is complete :data:`HEAD` seconds after the connection opened, or :data:`IDLE` after the last answer;
- its body is read within a time of its own (``bodies``, ``forms``), or thrown away for at most :data:`LINGER`;
- what is sent is taken within :data:`STUCK`, which the kernel watches;
- one peer has at most :data:`PEER_MAX` connections, and not more than half of those the process can have.

A socket or a long poll is an answer under way: none of these timers runs for it.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, cast

import structlog
from aiohttp import web

from bjidp.throttle.source import Source
from bjidp.web.http.dispatch import straight
from bjidp.web.http.visitor import OBSERVER
from bjidp.web.server.problems import PROBLEMS

HEAD: Final = 10.0
"""Seconds a new connection has for its first head, the handshake of TLS apart, which has as long again."""

IDLE: Final = 30.0
"""Seconds an answered connection is kept for the next request. A proxy in front has to let go of it sooner."""

LINGER: Final = 5.0
"""Seconds an unread body is thrown away for, so that its sender reads the answer before the connection closes."""

STUCK: Final = 30.0
"""Seconds the other end may leave sent data unacknowledged, or take none of what is waiting."""

PEER_MAX: Final = 4000
"""Connections of one peer at a time, sockets and polls among them, in one process."""

FILES_MAX: Final = 20_000
"""Open files a process asks for: two for each page that one process is meant to serve."""

log = structlog.get_logger(__name__)


def allow_open_files() -> int:
    """Let this process have as many open files as it may, up to :data:`FILES_MAX`; return how many those are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    most = FILES_MAX if hard == unlimited else min(FILES_MAX, hard)
    if soft != unlimited and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return FILES_MAX if soft == unlimited else soft


class TooManyConnections(Exception):
    """A peer has as many connections as it may have."""


class Peers:
    """Counts the open connections of each peer. A trusted proxy's are not counted: they are other people's."""

    def __init__(self, source_of: Callable[[str], Source | None], files: int) -> None:
        """Ask ``source_of`` what an address counts as; ``files`` is how many the process may have open."""
        self._source_of = source_of
        self._most = min(PEER_MAX, files // 2)
        self._open: Counter[str] = Counter()
        self._told: set[str] = set()

    def arrive(self, remote: str) -> str | None:
        """Count a connection from ``remote``; return what to give :meth:`leave`. Raises :class:`TooManyConnections`."""
        source = self._source_of(remote)
        if source is None or source.key is None:
            return None
        if self._open[source.key] >= source.allowance(self._most):
            if source.key not in self._told:
                self._told.add(source.key)
                # Not whose: addresses are not logged (attack Q24).
                log.warning("peer_has_too_many_connections", most=source.allowance(self._most))
            raise TooManyConnections
        self._open[source.key] += 1
        return source.key

    def leave(self, key: str | None) -> None:
        """Forget a connection that is closed."""
        if key is None:
            return
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]
            self._told.discard(key)


class Runner(web.AppRunner):
    """Runs an application on connections of this module."""

    def __init__(self, app: web.Application, *, files: int, shutdown_timeout: float) -> None:
        """``files`` is how many the process may have open, ``shutdown_timeout`` in seconds."""
        super().__init__(app, shutdown_timeout=shutdown_timeout)
        self._peers = Peers(app[OBSERVER].peer, files)

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(self.app, self._peers, made)


class Site(web.SockSite):
    """Listens for a :class:`Runner`."""

    async def start(self) -> None:
        """Start listening, with a limit for the handshake and one for answers that nobody takes."""
        # Accepted sockets inherit it. Both ends of a connection that is closing are covered too, which no timer of
        # the protocol could: it is told of nothing after it has closed (RFC 5482; zero windows since Linux 5.11).
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(STUCK * 1000))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await web.BaseSite.start(self)
        server = self._runner.server
        assert server is not None  # noqa: S101 - BaseSite asks for it
        self._server = await asyncio.get_running_loop().create_server(
            server,
            sock=self._sock,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=None if self._ssl_context is None else HEAD,
        )


class _Server(web.Server):
    """Makes a :class:`_Connection` where aiohttp's own makes a plain one."""

    def __init__(self, app: web.Application, peers: Peers, made: web.Server) -> None:
        super().__init__(straight(app, self._by_the_router), request_factory=made.request_factory)
        self.app = app
        self.peers = peers
        self._router = made.request_handler

    async def _by_the_router(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._router(request)
        except web.HTTPExpectationFailed:
            # It is raised before any middleware, and repeats what was sent.
            return self.app[PROBLEMS].refusal(_whole(request), "invalid_request")

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, asyncio.get_running_loop())


class _Connection(web.RequestHandler):
    """One connection."""

    __slots__ = ("_app", "_peer", "_peers")

    def __init__(self, server: _Server, loop: asyncio.AbstractEventLoop) -> None:
        no_access_log: Any = None
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=IDLE,
            lingering_time=LINGER,
            access_log=no_access_log,
            tcp_keepalive=False,  # inherited from the listening socket
        )
        self._app = server.app
        self._peers = server.peers
        self._peer: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        name = transport.get_extra_info("peername")
        try:
            # A name for TCP is address and port; a Unix socket's is text, and nobody's.
            self._peer = self._peers.arrive(str(name[0]) if isinstance(name, tuple) else "")
        except TooManyConnections:
            self._force_close = True
            # Cast, not asked: uvloop's transports are of no class of asyncio's.
            cast("asyncio.Transport", transport).abort()
            return
        super().connection_made(transport)
        # aiohttp has one timer for "no head has come", and takes it away while a socket is open: it only has to
        # begin earlier. It finds out by itself, when it fires, that it was set anew after an answer.
        if self._keepalive_handle is not None:
            self._keepalive_handle.cancel()
        self._next_keepalive_close_time = self._loop.time() + HEAD
        self._keepalive_handle = self._loop.call_at(self._next_keepalive_close_time, self._process_keepalive)

    def connection_lost(self, exc: BaseException | None) -> None:
        peer, self._peer = self._peer, None
        self._peers.leave(peer)
        super().connection_lost(exc)
        # It holds the answer of a socket, which holds this connection: with the circle open both go at once, and
        # nothing is left for the garbage collector.
        self._data_received_cb = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no request with words of our own: aiohttp's repeat what was sent, to log and sender."""
        log.info("request_unreadable", kind=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is under way already")
        return self._refusal(request, "invalid_request" if status < 500 else "internal_error")  # noqa: PLR2004

    def log_exception(self, *args: Any, **kw: Any) -> None:  # noqa: ANN401 - aiohttp's signature
        """Log the kind of a failure alone: the text of a foreign error may hold what a client sent."""
        log.error("connection_failed", kind=type(kw.get("exc_info")).__name__)

    def _refusal(self, request: web.BaseRequest, code: str) -> web.StreamResponse:
        return self._app[PROBLEMS].refusal(_whole(request), code)


def _whole(request: web.BaseRequest) -> web.Request:
    # aiohttp makes the application's kind of request of everything, unreadable or not.
    assert isinstance(request, web.Request)  # noqa: S101 - says so to the type checker
    return request
