"""One transaction as a piece of work sees it, and how it fails.

Owns the statements of a transaction and the two failures that never leave this package. Called by the stores; made by
``threads``, ``sqlite`` and ``group_commit``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from bjidp.storage.sql.database.statements import Row, Statement, Value


class Contended(Exception):
    """Another transaction got in the way: the work is rolled back and done again."""


class StoreFault(Exception):
    """What a driver reported, by its code alone: a driver's own message can hold the values it choked on."""


class Cursor(Protocol):
    """What this package uses of either driver's cursor."""

    rowcount: int

    @property
    def description(self) -> object: ...

    def fetchone(self) -> Row | None: ...

    def fetchall(self) -> list[Row]: ...


class Connection(Protocol):
    """What this package uses of either driver's connection."""

    def execute(self, sql: str, values: Sequence[Value] = ..., /) -> Cursor: ...

    def close(self) -> None: ...


class Answer(NamedTuple):
    """What a statement that writes gave."""

    rows: list[Row]
    number: int
    """How many rows were written; where rows are given, how many those are."""


class Transaction:
    """What a piece of work is given: the statements of one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        """Run on ``connection``."""
        self._connection = connection

    def one(self, statement: Statement, values: Mapping[str, Value]) -> Row | None:
        """Return the first row, or None."""
        return self._connection.execute(statement.sql, statement.bind(values)).fetchone()

    def all(self, statement: Statement, values: Mapping[str, Value]) -> list[Row]:
        """Return every row."""
        return self._connection.execute(statement.sql, statement.bind(values)).fetchall()

    def answer(self, statement: Statement, values: Mapping[str, Value]) -> Answer:
        """Return the rows, if it gives any, and how many were written."""
        cursor = self._connection.execute(statement.sql, statement.bind(values))
        # SQLite knows how many only when the last of them was fetched.
        rows = [] if cursor.description is None else cursor.fetchall()
        return Answer(rows, cursor.rowcount)

    def run(self, statement: Statement, values: Mapping[str, Value]) -> int:
        """Return how many rows were written."""
        return self._connection.execute(statement.sql, statement.bind(values)).rowcount
