"""Statements are compiled once in a run: opening a database compiles hundreds, and thousands of tests open one.

What is compiled depends on the clause, the dialect and the columns alone, and is never changed afterwards. A test that
opens the same stores as another is given what the first has compiled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import ClauseElement
from sqlalchemy.engine import Dialect

from bjidp.storage.sql.database import postgresql, sqlite
from bjidp.storage.sql.database.statements import Statement


class Compiled:
    """The statements of a run."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: dict[object, Statement] = {}

    def statement(self, clause: ClauseElement, dialect: Dialect, columns: Sequence[str] | None = None) -> Statement:
        """Return a clause's statement."""
        key = clause._generate_cache_key()
        if key is None:
            return Statement(clause, dialect, columns)
        # SQLAlchemy's key leaves constants out: two comparisons of one column with different words have the same.
        constants = repr([each.value for each in key.bindparams])
        whole = (key.key, constants, dialect.name, None if columns is None else tuple(columns))
        if whole not in self._known:
            self._known[whole] = Statement(clause, dialect, columns)
        return self._known[whole]


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Compile once what the stores ask for, for the whole run."""
    compiled = Compiled()
    with pytest.MonkeyPatch.context() as patched:
        for engine in (sqlite, postgresql):
            patched.setattr(engine, "Statement", compiled.statement)
        yield
