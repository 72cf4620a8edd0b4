"""The demonstration: server, sandbox with phone simulator, and portal on one machine.

Owns their start, and the line that says they answer. The composition root of the demo, as ``bootstrap`` is that of the
server; the server itself is the ordinary one, started as its own process with the configuration of ``place``, which
names the sandbox where production names the vendors, and by ``server``, which tells the sandbox what captchas show.
Called by ``command``.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import ssl
import sys
from pathlib import Path
from typing import Final

import uvloop
from aiohttp import ClientError, web

from bjidp.commands.invocation import own_command
from bjidp.config.environment import system_environment
from bjidp.config.loader import load
from bjidp.config.settings import Settings
from bjidp.demo.clients import register, register_terminals
from bjidp.demo.place import Place, certificate, private_address, write_config
from bjidp.sandbox import app as sandbox
from bjidp.sandbox import kiosk
from bjidp.sandbox.clock import SystemClock as SandboxClock
from bjidp.sandbox.credentials import default_credentials
from bjidp.sandbox.entropy import SystemEntropy as SandboxEntropy
from bjidp.sandbox.portal import PortalSettings, build_portal
from bjidp.sandbox.portal.services import metadata
from bjidp.sandbox.settings import SandboxSettings
from bjidp.site import Site, read_base_url
from bjidp.vendors.http import HttpLimits, open_session

LOOPBACK: Final = "127.0.0.1"
READY: Final = 60.0
"""Seconds for everything to answer after the start."""

PORTS: Final = 3
"""The server's, the sandbox's, the portal's: one after the other."""

PORT_MAX: Final = 65_535


def run_demo(port: int, data: Path, *, lan: bool) -> None:
    """Run the demo until told to stop.

    Raises :class:`ValueError` for a port that cannot be, :class:`OSError` when a port is taken, and ``ConfigFaults``
    when the environment sets something impossible.
    """
    if port < 1:
        raise ValueError("PORT: at least 1")
    if port + PORTS - 1 > PORT_MAX:
        raise ValueError(f"PORT: at most {PORT_MAX - PORTS + 1}, since sandbox and portal take the two after it")
    host = private_address() if lan else LOOPBACK
    # Before anything is written: what has the ports may be a demo with the same data.
    taken = _taken(host, port)
    if taken is not None:
        raise OSError(f"port {taken} is taken: try PORT={_free(host, port)}")
    data.mkdir(parents=True, exist_ok=True)
    if lan:
        place = Place("https", host, host, port, data, certificate(host, data))
    else:
        place = Place("http", host, "localhost", port, data, None)
    uvloop.run(_run(place))


def _taken(host: str, first: int) -> int | None:
    """Return the first of the demo's ports that somebody else has, or None."""
    for port in range(first, first + PORTS):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # Connections that ended a moment ago are in nobody's way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as fault:
                if fault.errno == errno.EADDRINUSE:
                    return port
                raise OSError(f"cannot listen on {host}, port {port}: {fault.strerror}") from fault
    return None


def _free(host: str, near: int) -> int:
    """Return a port that is free with the two after it, higher than ``near`` where there is one."""
    choice = (*range(near + 10, PORT_MAX - PORTS + 2, 10), *range(near - 10, 1024, -10))
    return next((port for port in choice if _taken(host, port) is None), near)


async def _run(place: Place) -> None:
    credentials = default_credentials(place.data / "sandbox")
    # Nobody has to know this port but the server, so it is none of the demo's own.
    mail = socket.create_server((LOOPBACK, 0))
    config = write_config(place, credentials.client_settings(place.sandbox, int(mail.getsockname()[1])))
    settings = load(config, system_environment())
    site = read_base_url(settings.server.base_url)
    runners = [
        await _start(
            sandbox.build(
                SandboxSettings(
                    clock=SandboxClock(),
                    entropy=SandboxEntropy(),
                    credentials=credentials,
                    base_url=place.sandbox,
                    server_url=place.server,
                    server_host=site.authority if site.url != place.server else None,
                    server_tls=_trusting(place),
                    portal_url=f"{place.portal}/",
                    mail=mail,
                )
            ),
            place,
            place.port + 1,
        )
    ]
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bjidp.demo.server", "--config", str(config), "--sandbox", place.sandbox),
        env=_environment(place),
    )
    running = asyncio.create_task(_run_until_it_ends(place, settings, server, runners))
    for number in (signal.SIGTERM, signal.SIGINT):
        # Without this, whoever ends the demo by SIGTERM leaves its server behind.
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await running
    finally:
        if server.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                server.terminate()
            await server.wait()
        for runner in runners:
            await runner.cleanup()
    if server.returncode:
        raise SystemExit(server.returncode)


async def _run_until_it_ends(
    place: Place, settings: Settings, server: asyncio.subprocess.Process, runners: list[web.AppRunner]
) -> None:
    site = read_base_url(settings.server.base_url)
    if not await _all_answer(place, server, f"{place.server}/ready", f"{place.sandbox}/health"):
        return
    # Not before: the server is who brings the database up to date.
    database = settings.storage.database_url
    given = await register(place, "portal", metadata(place.portal), database)
    hall = await register(place, "kiosk", kiosk.METADATA, database)
    await register_terminals(database)
    portal = PortalSettings(
        clock=SandboxClock(),
        entropy=SandboxEntropy(),
        base_url=place.portal,
        issuer=site.url,
        client_id=given.client_id,
        client_secret=given.client_secret or "",
        side_by_side_url=f"{place.sandbox}/",
        tls=_trusting(place),
    )
    app = build_portal(portal)
    kiosk.mount(
        app,
        kiosk.KioskSettings(
            clock=SandboxClock(),
            entropy=SandboxEntropy(),
            issuer=site.url,
            client_id=hall.client_id,
            client_secret=hall.client_secret or "",
            tls=_trusting(place),
        ),
    )
    runners.append(await _start(app, place, place.port + 2))
    if await _all_answer(place, server, f"{place.portal}/health"):
        _announce(place, site)
        await server.wait()


def _announce(place: Place, site: Site) -> None:
    trust = () if place.tls is None else ("--ca", str(place.tls[0]))
    print(  # noqa: T201 - the line people and scripts wait for
        f"ready: open {place.sandbox}/ for the login page and a phone, side by side\n"
        f"  login page  {site.url}/login\n"
        f"  phone       {place.sandbox}/phone\n"
        f"  people      {place.sandbox}/people  whose documents, cards and organisations forms are filled in with\n"
        f"  inbox       {place.sandbox}/inbox  where codes arrive; numbers are 154 and eight digits\n"
        f"  portal      {place.portal}/  a site that its people log in to here\n"
        f"  kiosk       {place.portal}/kiosk  a screen in a service hall\n"
        f"  terminal    {own_command('login', site.url, *trust)}\n"
        "  everything here is a sandbox: every person and every verdict is made up; Ctrl-C stops it",
        flush=True,
    )


async def _start(app: web.Application, place: Place, port: int) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    context = None
    if place.tls is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*place.tls)
    await web.TCPSite(runner, place.host, port, ssl_context=context).start()
    return runner


async def _all_answer(place: Place, server: asyncio.subprocess.Process, *urls: str) -> bool:
    async with open_session(HttpLimits()) as session:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY):
                for url in urls:
                    while server.returncode is None:
                        with contextlib.suppress(ClientError, OSError):
                            async with session.get(url, ssl=_trusting(place) or True) as answer:
                                if answer.status == 200:  # noqa: PLR2004 - OK
                                    break
                        await asyncio.sleep(0.05)
                return server.returncode is None
    return False


def _environment(place: Place) -> dict[str, str]:
    """Return the server's environment: on the local network it has to trust the sandbox's certificate, and no other."""
    trusted = {} if place.tls is None else {"SSL_CERT_FILE": str(place.tls[0])}
    return {**system_environment(), **trusted}


def _trusting(place: Place) -> ssl.SSLContext | None:
    return None if place.tls is None else ssl.create_default_context(cafile=place.tls[0])
