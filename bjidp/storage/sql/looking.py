"""What a piece of work of one statement asks, found out without a database, and the answer given to it.

Owns two stand-ins for a driver's connection. Work changes nothing but the database, so it may be run twice: once to
hear what it asks, once with the answer. Called by :class:`bjidp.storage.sql.engine.SqlEngine`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from bjidp.storage.sql.statements import Row, Value


class Question(Exception):
    """What the work asks; carried out of it."""

    def __init__(self, sql: str, values: Sequence[Value]) -> None:
        """Keep the statement and its values."""
        super().__init__()
        self.sql = sql
        self.values = values


class Asking:
    """A connection that only hears what is asked."""

    def execute(self, sql: str, values: Sequence[Value] = (), /) -> NoReturn:
        """Raise :class:`Question`."""
        raise Question(sql, values)

    def close(self) -> None:
        """Do nothing."""


class Answered:
    """A connection that has the answer, and the cursor over it."""

    rowcount = -1

    def __init__(self, rows: list[Row]) -> None:
        """Answer with ``rows``."""
        self._rows = rows

    def execute(self, sql: str, values: Sequence[Value] = (), /) -> Answered:
        """Return the answer, whatever is asked."""
        return self

    def fetchone(self) -> Row | None:
        """Return the first row, or None."""
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[Row]:
        """Return every row."""
        return self._rows

    def close(self) -> None:
        """Do nothing."""
