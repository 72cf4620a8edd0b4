"""A SQL database as the stores see it.

Owns what may be asked of one, whichever it is: a statement by itself, or a piece of synchronous work that is one
transaction. Every wait is bounded, every driver's error leaves as ``StoreUnavailable``. Called by the stores, and made
by ``catalog``; ``sqlite`` and ``postgresql`` implement it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import ClauseElement
from sqlalchemy.engine import Dialect, make_url

from bjidp.storage.sql.database.jobs import PATIENCE
from bjidp.storage.sql.database.postgresql import PostgresqlEngine
from bjidp.storage.sql.database.sqlite import SqliteEngine
from bjidp.storage.sql.database.statements import Row, Statement, Value
from bjidp.storage.sql.database.transaction import Answer, Transaction

T = TypeVar("T")


class SqlEngine(Protocol):
    """A database. Open it once, close it once; in between it outlives the database's faults.

    Every method but :meth:`compile` raises ``StoreUnavailable``, and :class:`ValueError` for a value that the database
    cannot hold.
    """

    @property
    def dialect(self) -> Dialect:
        """The dialect that statements are compiled for."""
        ...

    def compile(self, clause: ClauseElement, columns: Sequence[str] | None = None) -> Statement:
        """Compile a Core statement for this database; an insert asks for ``columns``, by default for all."""
        ...

    async def one(self, statement: Statement, values: Mapping[str, Value]) -> Row | None:
        """Return the first row of a reading statement, or None.

        For point reads: those that are asked meanwhile wait for it.
        """
        ...

    async def all(self, statement: Statement, values: Mapping[str, Value]) -> list[Row]:
        """Return every row of a reading statement, as :meth:`one` does the first."""
        ...

    async def write_one(self, statement: Statement, values: Mapping[str, Value]) -> Answer:
        """Run one statement that writes a few rows, as a transaction by itself."""
        ...

    async def write_briefly(self, work: Callable[[Transaction], T]) -> T:
        """Do as :meth:`write` does, for work of a few point statements, such as a login's."""
        ...

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` as one transaction: committed when this returns, rolled back when it raises.

        Work may be done several times before it is committed once, so it changes nothing but the database.
        Raises what ``work`` raises besides. After ``StoreUnavailable`` the work was not done, unless the connection was
        lost or patience ended in the very moment of the commit.
        """
        ...

    async def opened(self) -> None:
        """Connect what is asked on the event loop; otherwise that happens while threads do the first work."""
        ...

    async def ping(self) -> None:
        """Ask the database for an answer."""
        ...

    async def close(self) -> None:
        """Finish what was begun, then close every connection; later calls raise ``StoreUnavailable``."""
        ...


def open_engine(url: str, *, threads: int = 4, patience: float = PATIENCE) -> SqlEngine:
    """Prepare for ``url`` (``sqlite:///file`` or ``postgresql+psycopg://...``); connect nothing yet.

    ``threads`` is how many transactions PostgreSQL is given at a time; SQLite has one writer. A caller waits
    ``patience`` seconds. Raises :class:`ValueError` for a URL of neither kind.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteEngine(parsed, patience)
    if parsed.get_backend_name() == "postgresql" and threads > 0:
        return PostgresqlEngine(parsed, threads, patience)
    raise ValueError("the database is sqlite or postgresql, on at least one thread")
