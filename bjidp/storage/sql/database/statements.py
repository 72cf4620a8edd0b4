"""Core statements compiled once and run on the driver's own cursor.

Owns the step from a SQLAlchemy Core statement to SQL text and a tuple of values. The statements stand still (every
value is a bound parameter), so compiling, caching and executing through an SQLAlchemy connection would only cost:
one point read on SQLite takes 31 µs of CPU that way and 3 µs this way. Called by the stores of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias, cast

from sqlalchemy import ClauseElement, ColumnElement, Delete, Insert, Select, Table, bindparam, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

Value: TypeAlias = str | int | bytes | None
"""What is bound. Both drivers take and give these unchanged, so no type of the schema needs a conversion."""

Row: TypeAlias = tuple[Any, ...]
"""One row as the driver gives it, in the order of the selected columns."""


class Statement:
    """SQL text for one database, and the order its values are wanted in."""

    __slots__ = ("_fixed", "_pick", "sql")

    def __init__(self, clause: ClauseElement, dialect: Dialect, columns: Sequence[str] | None = None) -> None:
        """Compile ``clause`` for a ``dialect`` with positional parameters.

        An insert asks for ``columns``, by default for all of its table.
        """
        compiled = cast("SQLCompiler", clause.compile(dialect=dialect, column_keys=columns))
        self.sql = compiled.string
        self._pick = _picker(tuple(compiled.positiontup or ()))
        # Constants written into the statement itself, such as a status compared with. A value that is still wanted
        # is marked by None or by a symbol, and SQLAlchemy's symbols are numbers too: hence the exact types.
        self._fixed = {name: value for name, value in compiled.params.items() if type(value) in {str, int, bytes}}

    def bind(self, values: Mapping[str, Value]) -> Sequence[Value]:
        """Return the values in order; raise :class:`KeyError` for one that is missing."""
        return self._pick({**values, **self._fixed} if self._fixed else values)


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Value]], Sequence[Value]]:
    # itemgetter gives no sequence for fewer than two names.
    match names:
        case ():
            return lambda _: ()
        case (name,):
            return lambda values: (values[name],)
        case _:
            return itemgetter(*names)


def insert_or_nothing(table: Table, dialect: Dialect) -> Insert:
    """Return an insert of a whole row that does nothing when a unique value of it is held already."""
    if dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def insert_or_touch(
    table: Table, dialect: Dialect, touched: str, ahead: int | None = None, rows: Select[Any] | None = None
) -> Insert:
    """Return an insert of a whole row that sets the ``touched`` column alone when the primary key is there already.

    With ``ahead`` it does so only when the new value is more than that ahead of the old one. With ``rows`` it inserts
    what is selected, in the order of the table's columns.
    """
    row = postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)
    if rows is not None:
        row = row.from_select(list(table.columns), rows)
    new = row.excluded[touched]
    return row.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={touched: new},
        where=None if ahead is None else new > table.c[touched] + ahead,
    )


def delete_some(table: Table, over: ColumnElement[bool], dialect: Dialect) -> Delete:
    """Return a delete of at most ``limit`` rows, a parameter, of those that are ``over``.

    Rows that another transaction is at are passed by, so that processes that clean up together share the work.
    """
    key = list(table.primary_key)
    column = key[0] if len(key) == 1 else tuple_(*key)
    chosen = select(*key).where(over).limit(bindparam("limit"))
    if dialect.name == "postgresql":
        # A query with locks stands in a common table expression: PostgreSQL runs that once, where it may run a
        # subquery once a row and take the limit anew each time.
        apart = chosen.with_for_update(skip_locked=True).cte("chosen")
        return delete(table).where(column.in_(select(*apart.c)))
    # SQLite has one writer and runs the subquery once. Its driver counts rows of a bare DELETE only.
    return delete(table).where(column.in_(chosen))
