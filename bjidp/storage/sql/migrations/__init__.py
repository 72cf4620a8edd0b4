"""The schema's history, and the one call that brings a database up to date.

Owns the Alembic environment and its revisions, run from code alone: no ``alembic.ini``, no database URL in a file.
Called by ``serving`` once every store has answered, before a request is taken.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, create_engine, event, func, make_url, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError

from bjidp.errors import StoreUnavailable
from bjidp.storage.sql.database.dialects import SQLITE_PRAGMAS
from bjidp.storage.sql.database.transaction import StoreFault

_LOCK = 0x626A_6964_70
"""The PostgreSQL advisory lock of a migration: the letters ``bjidp``."""

_WAIT = 60
"""Seconds to wait for another process that is migrating."""

_PAUSE = 0.01
"""Seconds until another try, where SQLite itself does not wait."""

_CONNECT = 5
"""Seconds to wait for a connection."""


class MigrationFailed(Exception):
    """The database answers, but cannot be brought up to date; nothing was changed. Its text says why, in words."""


def migrate(url: str) -> None:
    """Bring the database at ``url`` to the newest revision in one transaction; do nothing when it is there.

    Processes that start together take turns. Blocking: call it before the event loop, or on a thread. Raises
    ``StoreUnavailable`` when the database does not answer, and :class:`MigrationFailed`; then nothing was changed.
    """
    with _connected(url) as connection:
        try:
            command.upgrade(_config(connection), "head")
        except CommandError as error:
            # Its words name revisions alone.
            raise MigrationFailed(f"its schema is none that this program knows, or a newer one: {error}") from error


def current_revision(url: str) -> str | None:
    """Return the revision the database is at, or None for an empty one; raises what :func:`migrate` raises."""
    with _connected(url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """Return the revision this code needs."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """Open a transaction that no other migration runs beside."""
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=_patience(url))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    begun = False
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            begun = True
            yield connection
    except DBAPIError as error:
        # The code alone, also for whoever reads a traceback: a driver's own message can hold the values it choked on.
        code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
        fault = StoreFault(code or type(error.orig).__name__)
        if begun and not error.connection_invalidated:
            raise MigrationFailed(f"the database refused a change of its schema, with code {fault}") from fault
        raise StoreUnavailable from fault
    finally:
        engine.dispose()


def _patience(url: str) -> dict[str, object]:
    if make_url(url).get_backend_name() == "sqlite":
        return {"timeout": _WAIT}
    return {"connect_timeout": _CONNECT, "options": f"-c lock_timeout={_WAIT}s"}


def _configure_sqlite(connection: DBAPIConnection, _record: object) -> None:
    # The driver must not begin transactions by its own guess: it would leave CREATE TABLE outside of them.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        _in_turn(partial(cursor.execute, pragma))
    cursor.close()


def _in_turn(step: Callable[[], object]) -> None:
    # SQLite's time-out does not wait for the lock under which a new file gets its write-ahead log, and of processes
    # that start together one has to wait for the other.
    for _ in range(int(_WAIT / _PAUSE)):
        try:
            step()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(_PAUSE)  # noqa: TID251 - nothing tells when another process lets go
        else:
            return
    step()


def _begin_immediate(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: the process that comes second waits here, then finds nothing to do.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
