"""Running the server: one process, or several that share a port.

Owns signals and the order of starting and stopping. Called by ``bjidp serve`` and by the server of a demonstration.
Several processes are started as processes of their own, each with its event loop; the kernel spreads connections over
them (``SO_REUSEPORT``). A port that another server has is refused, whichever way either of them runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog
import uvloop
from aiohttp import web

from bjidp.bootstrap import Rooms, Witnessing, build, close_rooms, open_rooms
from bjidp.clock import SystemClock
from bjidp.config.settings import Settings
from bjidp.entropy import SystemEntropy
from bjidp.serving.listening import bind, hold, tls_context
from bjidp.serving.supervising import Patience, Supervisor, supervise
from bjidp.serving.tidying import Tidying
from bjidp.storage.sql.migrations import migrate
from bjidp.web.server.connections import Runner, Site, allow_open_files

BACKLOG: Final = 2048
DRAIN: Final = 10.0
"""Seconds that requests in flight may take to finish when the server stops."""

GARBAGE: Final = (10_000, 4, 1_000)
"""When garbage is collected. A login leaves none, but fifteen objects that live for minutes, and by default
(700, 10, 10) the collector looks at them again and again. The loop stands still meanwhile: 4 ms for the youngest ten
thousand, 15 ms for the fifty thousand behind them, 70 ms for all when a thousand pages wait. So all are looked at once
in fifty million objects, which is hours."""

CLOSING: Final = 10.0
"""Seconds a worker may take beside :data:`DRAIN`, for farewells to its pages and for its stores."""

PROGRAM: Final = ("bjidp", "serve")
"""What is run, after ``python -m``, for a process that shares the port."""

log = structlog.get_logger(__name__)


def serve(
    settings: Settings,
    config: Path,
    *,
    worker: int | None = None,
    program: Sequence[str] = PROGRAM,
    witnessing: Witnessing | None = None,
) -> None:
    """Serve until told to stop.

    Everything that can be checked is checked before anything is changed: then the schema is brought up to date, then
    requests are taken. ``config`` is where the settings came from; ``worker`` is given to the processes that
    :func:`serve` itself starts, the file descriptor that leads to their supervisor. ``program`` is what they run, and
    ``witnessing`` what :func:`bjidp.bootstrap.open_rooms` is given.

    Raises ``StoreUnavailable`` when a store does not answer at start,
    :class:`bjidp.storage.sql.migrations.MigrationFailed`, :class:`OSError` when the port is taken,
    :class:`ValueError` for settings that cannot be wired and :class:`bjidp.serving.supervising.WorkerFailed`.
    """
    if worker is not None:
        uvloop.run(_work(settings, worker, witnessing))
    elif settings.server.workers == 1:
        uvloop.run(run(settings, witnessing))
    else:
        uvloop.run(_supervise(settings, config, program, witnessing))


async def run(settings: Settings, witnessing: Witnessing | None = None) -> None:
    """Serve on the running loop, as the only process, until told to stop; raises what :func:`serve` raises."""
    with contextlib.closing(bind(settings.server, shared=False)) as listener:
        async with _opened(settings, witnessing) as rooms:
            app = build(rooms)
            await asyncio.to_thread(migrate, settings.storage.database_url)
            await _answer(rooms, app, listener)


async def _supervise(settings: Settings, config: Path, program: Sequence[str], witnessing: Witnessing | None) -> None:
    with contextlib.closing(hold(settings.server)):
        # The application is left to the workers, who each need one of their own: 0.2 s, and what it could refuse of
        # the settings was refused when they were read.
        async with _opened(settings, witnessing):
            await asyncio.to_thread(migrate, settings.storage.database_url)

        def command(told: int) -> list[str]:
            return [sys.executable, "-m", *program, "--config", str(config), "--worker", str(told)]

        await supervise(command, settings.server.workers, _told_to_stop(), Patience(drain=DRAIN + CLOSING))


async def _work(settings: Settings, told: int, witnessing: Witnessing | None) -> None:
    with (
        contextlib.closing(Supervisor(told)) as supervisor,
        contextlib.closing(bind(settings.server, shared=True)) as listener,
    ):
        async with _opened(settings, witnessing) as rooms:
            await _answer(rooms, build(rooms), listener, supervisor)


@asynccontextmanager
async def _opened(settings: Settings, witnessing: Witnessing | None) -> AsyncIterator[Rooms]:
    """Open everything, and ask every store once; nothing is changed by it."""
    rooms = await open_rooms(settings, SystemClock(), SystemEntropy(), witnessing)
    try:
        for ping in rooms.stores.pings:
            await ping()
        yield rooms
    finally:
        await close_rooms(rooms)


async def _answer(
    rooms: Rooms, app: web.Application, listener: socket.socket, supervisor: Supervisor | None = None
) -> None:
    """Take requests until told to stop, or until the ``supervisor``, who is told that they are taken, has gone."""
    stop = _told_to_stop()
    rooms.pictures.fill()
    runner = Runner(app, files=allow_open_files(), shutdown_timeout=DRAIN)
    await runner.setup()
    tidying = asyncio.create_task(_tidying(rooms).run())
    try:
        site = Site(runner, listener, ssl_context=tls_context(rooms.settings.server), backlog=BACKLOG)
        await site.start()
        # What was made so far stays: without this every full collection walks through all of it, 55 ms at a time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        log.info("serving", url=rooms.settings.server.base_url, port=rooms.settings.server.listen_port)
        if supervisor is not None:
            supervisor.tell(stop.set)
        await stop.wait()
    finally:
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)
        await runner.cleanup()


def _tidying(rooms: Rooms) -> Tidying:
    stores = rooms.stores
    return Tidying(
        sessions=stores.sessions,
        grants=stores.grants,
        logouts=stores.logouts,
        mini_sessions=stores.mini_sessions,
        accounts=stores.accounts,
        members=stores.members,
        wishes=stores.wishes,
        identities=stores.identities,
        checks=stores.checks,
        organisations=stores.organisations,
        appeals=stores.appeals,
        clock=rooms.clock,
    )


def _told_to_stop() -> asyncio.Event:
    """Return what is set when the process is told to end."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    return told
