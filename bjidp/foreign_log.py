"""What libraries log, without their words.

Owns the one handler of the standard library's ``logging``. Called by ``cli``. Without a handler Python prints warnings
and tracebacks of libraries as they are, and their text repeats what came in: aiohttp's names the value of a header it
cannot read, asyncio's the arguments of a call that failed (attack Q24).
"""

from __future__ import annotations

import logging
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


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
