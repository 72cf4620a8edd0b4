"""What a command about a server says of what it was refused, and of stores that do not answer.

Owns which errors are told in words. Called by the commands, and by the server of a demonstration.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bjidp.commands.ending import REFUSED, Refused, fail
from bjidp.commands.outages import passed, silent_stores
from bjidp.config.loader import ConfigFaults
from bjidp.config.settings import Settings
from bjidp.errors import StoreUnavailable
from bjidp.serving.supervising import WorkerFailed
from bjidp.storage.sql.migrations import MigrationFailed


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
