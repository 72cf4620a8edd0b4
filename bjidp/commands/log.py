"""What a process logs: its own events, and that libraries complain, without their words.

Owns the form of a line, and the one handler of the standard library's ``logging``. Called by ``cli`` and by the server
of a demonstration. Without a handler Python prints warnings and tracebacks of libraries as they are, and their text
repeats what came in: aiohttp's names the value of a header it cannot read, asyncio's the arguments of a call that
failed (attack Q24).
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


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


class ForeignLog(logging.Handler):
    """Says who complained, where in its source, and of which kind of error; nothing else."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line of our own log."""
        kind = record.exc_info[0] if record.exc_info else None
        log.warning(
            "library_complains",
            library=record.name,
            severity=record.levelname.lower(),
            place=f"{Path(record.pathname).name}:{record.lineno}",
            kind=None if kind is None else kind.__name__,
        )


def listen_to_libraries() -> None:
    """Take over whatever libraries log as a warning or worse."""
    root = logging.getLogger()
    if not any(isinstance(handler, ForeignLog) for handler in root.handlers):
        root.addHandler(ForeignLog(logging.WARNING))
