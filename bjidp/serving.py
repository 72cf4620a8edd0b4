"""Running the server: one process, or several that share a port.

Owns sockets, TLS, signals and the order of starting and stopping. Called by ``cli``. Several processes are started as
processes of their own, each with its event loop; the kernel spreads connections over them (``SO_REUSEPORT``).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import ssl
import sys
from pathlib import Path
from typing import Final

import structlog
import uvloop
from aiohttp import web

from bjidp.bootstrap import Rooms, build, close_rooms, open_rooms
from bjidp.clock import SystemClock
from bjidp.config.settings import Settings
from bjidp.entropy import SystemEntropy
from bjidp.errors import StoreUnavailable
from bjidp.storage.sql.migrations import migrate

BACKLOG: Final = 2048
DRAIN: Final = 10.0
"""Seconds that requests in flight may take to finish when the server stops."""

RESTART_PAUSE: Final = 1.0
"""Seconds before a worker that died is started again, so that a fault at start does not spin."""

TIDY: Final = 600.0
"""Seconds between two clean-ups."""

log = structlog.get_logger(__name__)


def serve(settings: Settings, config: Path, *, worker: bool) -> None:
    """Serve until told to stop; ``worker`` is set in the processes that :func:`serve` itself starts.

    Raises ``StoreUnavailable`` when a store does not answer at start, :class:`OSError` when the port is taken, and
    :class:`ValueError` for settings that cannot be wired.
    """
    if worker:
        uvloop.run(run(settings))
        return
    migrate(settings.storage.database_url)
    uvloop.run(run(settings) if settings.server.workers == 1 else _supervise(settings, config))


async def run(settings: Settings) -> None:
    """Serve on the running loop, as one process, until told to stop; raises what :func:`serve` raises."""
    rooms = await open_rooms(settings, SystemClock(), SystemEntropy())
    try:
        runner = web.AppRunner(build(rooms), access_log=None, shutdown_timeout=DRAIN)
        await runner.setup()
        tidying = asyncio.create_task(_tidy(rooms))
        try:
            listener = _listen(settings.server.listen_host, settings.server.listen_port)
            site = web.SockSite(runner, listener, ssl_context=_tls(settings), backlog=BACKLOG)
            await site.start()
            # What was made so far stays: without this every full collection walks through all of it, 55 ms at a time.
            gc.collect()
            gc.freeze()
            log.info("serving", url=settings.server.base_url, port=settings.server.listen_port)
            await _told_to_stop()
        finally:
            tidying.cancel()
            await runner.cleanup()
    finally:
        await close_rooms(rooms)


async def _tidy(rooms: Rooms) -> None:
    """Delete sessions whose time is over; what lives shorter is forgotten by its own store (PRV-4)."""
    while True:
        try:
            now = rooms.clock.now()
            await rooms.stores.sessions.purge(now)
            await rooms.stores.mini_sessions.purge(now)
        except StoreUnavailable:
            log.warning("tidying_put_off")
        await asyncio.sleep(TIDY)


async def _supervise(settings: Settings, config: Path) -> None:
    stop = asyncio.create_task(_told_to_stop())
    workers = [asyncio.create_task(_keep_running(config)) for _ in range(settings.server.workers)]
    await stop
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def _keep_running(config: Path) -> None:
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bjidp", "serve", "--config", str(config), "--worker"
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            raise
        log.error("worker_ended", code=code)
        await asyncio.sleep(RESTART_PAUSE)


async def _told_to_stop() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as fault:
        listener.close()
        raise OSError(f"cannot listen on {host}, port {port}: {fault.strerror}") from fault
    return listener


def _tls(settings: Settings) -> ssl.SSLContext | None:
    certificate, key = settings.server.tls_certificate, settings.server.tls_key
    if certificate is None or key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
