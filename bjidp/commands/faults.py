"""How a command ends that cannot do what it was asked: in words, and with an exit code.

Owns both. Called by every command, and by the server of a demonstration.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from bjidp.commands.outages import passed, silent_stores
from bjidp.config.loader import ConfigFaults
from bjidp.config.settings import Settings
from bjidp.errors import StoreUnavailable
from bjidp.serving.supervising import WorkerFailed
from bjidp.storage.sql.migrations import MigrationFailed

FAULT: Final = 2
"""Exit code for settings or surroundings the operator has to mend."""

REFUSED: Final = 3
"""Exit code for what was asked for and was not done."""


class Refused(Exception):
    """What was asked for is not done; the text says why, for whoever asked."""


@contextmanager
def faults_in_words() -> Iterator[None]:
    """Say what the operator has to mend, and end the process."""
    try:
        yield
    except ConfigFaults as error:
        fail("the configuration has faults:", *error.faults)
    except MigrationFailed as failed:
        fail("the database cannot be brought up to date, and was left as it is:", f"storage.database_url: {failed}")
    except Refused as refused:
        fail(str(refused), code=REFUSED)
    except WorkerFailed as failed:
        fail(str(failed), code=failed.code)
    except (OSError, ValueError) as error:
        fail(str(error))


@contextmanager
def silence_in_words(settings: Settings) -> Iterator[None]:
    """Say which store does not answer at a start, and end the process."""
    try:
        yield
    except StoreUnavailable as outage:
        silent = silent_stores(settings.storage.database_url, settings.storage.redis_url)
        if silent:
            fail("a store does not answer:", *silent)
        fail(passed(outage))


def fail(*lines: str, code: int = FAULT) -> NoReturn:
    """Say the ``lines``, and end the process with the ``code``."""
    print(*lines, sep="\n  ", file=sys.stderr)
    # Less than zero for a process that a signal ended, which no exit code can be.
    raise SystemExit(code if code > 0 else FAULT)
