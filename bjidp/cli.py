"""The commands.

Owns arguments, exit codes and what is printed to whoever runs the server. Everything else is done elsewhere.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

import structlog

from bjidp.config.loader import ConfigFaults, load, system_environment
from bjidp.config.settings import Settings
from bjidp.errors import StoreUnavailable
from bjidp.foreign_log import listen_to_libraries
from bjidp.outages import passed, silent_stores
from bjidp.serving import serve
from bjidp.storage.sql.migrations import MigrationFailed
from bjidp.supervising import WorkerFailed

FAULT: Final = 2
"""Exit code for settings or surroundings the operator has to mend."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command that ``arguments``, by default those of the process, name."""
    parser = argparse.ArgumentParser(prog="bjidp", description="An identity server whose login is a QR code.")
    commands = parser.add_subparsers(dest="command", required=True)
    server = commands.add_parser("serve", help="run the server")
    server.add_argument("--config", type=Path, required=True, metavar="FILE", help="the TOML file")
    server.add_argument("--worker", type=int, metavar="FD", help=argparse.SUPPRESS)
    demo = commands.add_parser("demo", help="run server, sandbox, phone simulator and portal on this machine")
    demo.add_argument("--port", type=int, default=8080, help="of the server; the other two take the next ones")
    demo.add_argument("--data", type=Path, default=Path("data/demo"), metavar="DIR", help="where it keeps its data")
    demo.add_argument("--lan", action="store_true", help="listen on the local network, over https, for a real phone")
    chosen = parser.parse_args(arguments)
    log_to_stderr()
    with faults_in_words():
        match chosen.command:
            case "serve":
                settings = load(chosen.config, system_environment())
                with silence_in_words(settings):
                    serve(settings, chosen.config, worker=chosen.worker)
            case "demo":
                # Imported here: a production server neither needs the sandbox nor has its dependencies.
                from bjidp.demo import run_demo

                run_demo(chosen.port, chosen.data, lan=chosen.lan)


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
