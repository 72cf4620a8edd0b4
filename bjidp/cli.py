"""The commands.

Owns arguments, exit codes and what is printed to whoever runs the server. Everything else is done elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

import msgspec
import structlog

from bjidp import backlog, registrar, staff
from bjidp.appeals.appeal import Verdict
from bjidp.bootstrap import read_keyring
from bjidp.clock import SystemClock
from bjidp.config.loader import ConfigFaults, load, system_environment
from bjidp.config.settings import Settings
from bjidp.entropy import SystemEntropy
from bjidp.errors import StoreUnavailable
from bjidp.foreign_log import listen_to_libraries
from bjidp.oidc.metadata import MetadataRefused
from bjidp.outages import passed, silent_stores
from bjidp.serving import serve
from bjidp.storage.sql.migrations import MigrationFailed
from bjidp.supervising import WorkerFailed

FAULT: Final = 2
"""Exit code for settings or surroundings the operator has to mend."""

DEMO: Final = Path("data/demo")
"""Where the demo keeps its data, unless it is told otherwise."""

REFUSED: Final = 3
"""Exit code for what was asked for and was not done."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command that ``arguments``, by default those of the process, name."""
    parser = argparse.ArgumentParser(prog="bjidp", description="An identity server whose login is a QR code.")
    commands = parser.add_subparsers(dest="command", required=True)
    server = commands.add_parser("serve", help="run the server")
    server.add_argument("--config", type=Path, required=True, metavar="FILE", help="the TOML file")
    server.add_argument("--worker", type=int, metavar="FD", help=argparse.SUPPRESS)
    demo = commands.add_parser("demo", help="run server, sandbox, phone simulator and portal on this machine")
    demo.add_argument("--port", type=int, default=8080, help="of the server; the other two take the next ones")
    demo.add_argument("--data", type=Path, default=DEMO, metavar="DIR", help="where it keeps its data")
    demo.add_argument("--lan", action="store_true", help="listen on the local network, over https, for a real phone")
    _add_appeals(commands)
    _add_clients(commands)
    _add_national(commands)
    _add_terminal(commands)
    chosen = parser.parse_args(arguments)
    log_to_stderr()
    with faults_in_words():
        match chosen.command:
            case "serve":
                settings = load(chosen.config, system_environment())
                with silence_in_words(settings):
                    serve(settings, chosen.config, worker=chosen.worker)
            case "appeals":
                settings = load(chosen.config, system_environment())
                with silence_in_words(settings):
                    _attend(settings, chosen)
            case "clients":
                settings = load(chosen.config or chosen.data / "server.toml", system_environment())
                with silence_in_words(settings):
                    _register(settings, chosen)
            case "national":
                settings = load(chosen.config or chosen.data / "server.toml", system_environment())
                with silence_in_words(settings):
                    print(*backlog.run(settings.storage.database_url), sep="\n")
            case "login" | "logout":
                _at_terminal(chosen)
            case "demo":
                # Imported here: a production server neither needs the sandbox nor has its dependencies.
                from bjidp.demo import run_demo

                run_demo(chosen.port, chosen.data, lan=chosen.lan)


def _add_appeals(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    appeals = commands.add_parser("appeals", help="look at appeals for an identity, and decide them")
    doing = appeals.add_subparsers(dest="doing", required=True)
    listing = doing.add_parser("list", help="those that wait, the oldest first")
    showing = doing.add_parser("show", help="everything about one, and its pictures")
    showing.add_argument("--to", type=Path, metavar="DIR", help="the folder to write its pictures to")
    deciding = doing.add_parser("decide", help="grant or refuse one; the reason is read from standard input")
    for one in (showing, deciding):
        one.add_argument("appeal", metavar="ID")
    deciding.add_argument("verdict", type=Verdict, choices=list(Verdict))
    deciding.add_argument("--seen", required=True, metavar="WORD", help="what show told of the case as you saw it")
    for one in (listing, showing, deciding):
        one.add_argument("--config", type=Path, required=True, metavar="FILE", help="the server's TOML file")
        one.add_argument("--staff", required=True, metavar="NAME", help="your own name, which is written down")


def _add_terminal(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    entering = commands.add_parser("login", help="log this terminal in by a QR code drawn in it")
    leaving = commands.add_parser("logout", help="log this terminal out, and forget its tokens")
    for one in (entering, leaving):
        one.add_argument("url", metavar="URL", help="of the server, such as https://id.example")
        one.add_argument("--client-id", metavar="ID", help="the client to log in as (bjidp-login)")
        one.add_argument("--ca", type=Path, metavar="FILE", help="a certificate to trust besides, made on the spot")
    entering.add_argument("--scope", metavar="WORDS", help="what it may read (openid profile offline_access)")
    entering.add_argument("--json", action="store_true", help="print the tokens on standard output and keep none")


def _at_terminal(chosen: argparse.Namespace) -> None:
    # Imported here: what a server needs at its start does not wait for what a terminal needs.
    from bjidp.terminal import login as terminal
    from bjidp.terminal.keeping import NotKept, open_keeper, system_ring
    from bjidp.terminal.screen import Screen
    from bjidp.terminal.talking import LoginFailed

    environment = system_environment()
    folder = environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    client = chosen.client_id or terminal.CLIENT
    try:
        keeper = open_keeper(Path(folder) / "bjidp" / "tokens", system_ring())
        tls = None
        if chosen.ca is not None:
            tls = ssl.create_default_context()
            tls.load_verify_locations(chosen.ca)
        if chosen.command == "logout":
            print(asyncio.run(terminal.logout(chosen.url, client, keeper, tls)))
            return
        scope = chosen.scope or terminal.SCOPE
        wanted = terminal.Login(url=chosen.url.rstrip("/"), client_id=client, scope=scope, tls=tls)
        screen = Screen(plain=environment.get("TERM") == "dumb")
        keep = None if chosen.json else keeper
        kept = asyncio.run(terminal.login(wanted, screen, SystemClock(), SystemEntropy(), keep))
        if chosen.json:
            print(terminal.as_json(kept))
            return
        screen.say(f"The tokens are in {keeper.where}; bjidp logout {wanted.url} ends it.")
    except (LoginFailed, NotKept) as failed:
        _fail(str(failed), code=REFUSED)
    except KeyboardInterrupt:
        # What was drawn is gone by now, and whoever pressed it knows why.
        raise SystemExit(130) from None


def _add_clients(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    clients = commands.add_parser("clients", help="register relying parties, list, show and remove them")
    doing = clients.add_subparsers(dest="doing", required=True)
    adding = doing.add_parser("add", help="register one from its metadata; its secret is told this once")
    adding.add_argument("file", type=Path, metavar="FILE", help="RFC 7591 metadata in JSON; - is standard input")
    adding.add_argument("--id", metavar="ID", help="the id it gets; by default one is drawn")
    listing = doing.add_parser("list", help="all of them, the oldest first")
    showing = doing.add_parser("show", help="the metadata of one")
    removing = doing.add_parser("remove", help="remove one, with what people have agreed to for it; ends its grants")
    for one in (showing, removing):
        one.add_argument("client", metavar="ID")
    telling = doing.add_parser("logouts", help="whether they were told of those who are logged in no more")
    for one in (adding, listing, showing, removing, telling):
        _add_place(one)


def _add_national(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    national = commands.add_parser("national", help="see who waits to be handed on to the national platform")
    doing = national.add_subparsers(dest="doing", required=True)
    listing = doing.add_parser("list", help="our reference of each, since when, how often tried, when next")
    _add_place(listing)


def _add_place(command: argparse.ArgumentParser) -> None:
    where = command.add_mutually_exclusive_group()
    where.add_argument("--config", type=Path, metavar="FILE", help="the server's TOML file")
    where.add_argument("--data", type=Path, default=DEMO, metavar="DIR", help="the demo's folder")


def _register(settings: Settings, chosen: argparse.Namespace) -> None:
    database = settings.storage.database_url
    try:
        match chosen.doing:
            case "add":
                metadata = registrar.parse(_read(chosen.file, registrar.SIZE_MAX + 1))
                given = registrar.run(database, lambda them: them.add(metadata, chosen.id), read_keyring(settings))
                print(msgspec.json.encode(given).decode())
            case "list":
                print(*registrar.run(database, lambda them: them.list_all()), sep="\n")
            case "logouts":
                print(*registrar.run(database, lambda them: them.list_logouts()), sep="\n")
            case "show":
                shown = registrar.run(database, lambda them: them.show(chosen.client))
                print(json.dumps(shown, ensure_ascii=False, indent=2))
            case "remove":
                ended = registrar.run(database, lambda them: them.remove(chosen.client))
                print(f"{chosen.client} is removed, and {ended} of its grants ended with it")
    except OSError as fault:
        _fail(f"{chosen.file} cannot be read: {fault.strerror}")
    except registrar.NoMetadata as fault:
        _fail(f"{chosen.file} cannot be registered: {fault}")
    except MetadataRefused as refused:
        _fail(
            f"{chosen.file} cannot be registered:",
            # A name that nobody knows may hold whatever a terminal obeys.
            *(f"{json.dumps(fault.member)[1:-1]}: {fault.words}" for fault in refused.faults),
        )
    except registrar.Refused as refused:
        _fail(str(refused), code=REFUSED)


def _read(file: Path, size: int) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read(size)
    with file.open("rb") as opened:
        return opened.read(size)


def _attend(settings: Settings, chosen: argparse.Namespace) -> None:
    try:
        match chosen.doing:
            case "list":
                staff.run(settings, chosen.staff, lambda desk: desk.list_waiting())
            case "show":
                staff.run(settings, chosen.staff, lambda desk: desk.show(chosen.appeal, chosen.to))
            case "decide":
                # Read, since what stands in a command line is seen by everybody on the machine.
                if sys.stdin.isatty():
                    print("Why? The person reads it:", file=sys.stderr)
                why = sys.stdin.readline()
                staff.run(
                    settings, chosen.staff, lambda desk: desk.decide(chosen.appeal, chosen.verdict, chosen.seen, why)
                )
    except staff.Refused as refused:
        _fail(str(refused), code=REFUSED)


@contextmanager
def faults_in_words() -> Iterator[None]:
    """Say what the operator has to mend, and end the process."""
    try:
        yield
    except ConfigFaults as error:
        _fail("the configuration has faults:", *error.faults)
    except MigrationFailed as failed:
        _fail("the database cannot be brought up to date, and was left as it is:", f"storage.database_url: {failed}")
    except WorkerFailed as failed:
        _fail(str(failed), code=failed.code)
    except (OSError, ValueError) as error:
        _fail(str(error))


@contextmanager
def silence_in_words(settings: Settings) -> Iterator[None]:
    """Say which store does not answer at a start, and end the process."""
    try:
        yield
    except StoreUnavailable as outage:
        silent = silent_stores(settings.storage.database_url, settings.storage.redis_url)
        if silent:
            _fail("a store does not answer:", *silent)
        _fail(passed(outage))


def _fail(*lines: str, code: int = FAULT) -> NoReturn:
    print(*lines, sep="\n  ", file=sys.stderr)
    # Less than zero for a process that a signal ended, which no exit code can be.
    raise SystemExit(code if code > 0 else FAULT)


def log_to_stderr() -> None:
    """Log what happens, one JSON object a line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    listen_to_libraries()
