"""What is compiled once in a run is what a server compiles at its start."""

from __future__ import annotations

import pytest
from sqlalchemy import ClauseElement, bindparam, insert, select
from sqlalchemy.engine import make_url

from bjidp.storage.sql.database.dialects import Postgresql, Sqlite
from bjidp.storage.sql.database.statements import Statement, insert_or_nothing
from bjidp.storage.sql.schema import account, appeal
from tests.support.statements import Compiled

SQLITE = Sqlite(make_url("sqlite:///nowhere.db")).dialect
POSTGRESQL = Postgresql(make_url("postgresql+psycopg://nobody@127.0.0.1/nowhere")).dialect


def by_state(state: object) -> ClauseElement:
    return select(appeal.c.id).where(appeal.c.state == state)


def test_the_same_clause_written_again_is_the_same_statement() -> None:
    compiled = Compiled()
    assert compiled.statement(by_state("filed"), SQLITE) is compiled.statement(by_state("filed"), SQLITE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(by_state("filed"), by_state("done"), id="another constant"),
        pytest.param(by_state("1"), by_state(1), id="a constant of another type"),
        pytest.param(by_state("filed"), by_state(bindparam("state")), id="a parameter for a constant"),
        pytest.param(by_state(bindparam("state")), by_state(bindparam("other")), id="a parameter of another name"),
        pytest.param(by_state(bindparam("a")), select(account.c.id).where(account.c.id == bindparam("a")), id="table"),
        pytest.param(insert(account), insert_or_nothing(account, SQLITE), id="what becomes of a conflict"),
    ],
)
def test_clauses_that_differ_in_anything_are_different_statements(one: ClauseElement, other: ClauseElement) -> None:
    compiled = Compiled()
    for clause in (one, other):
        found, expected = compiled.statement(clause, SQLITE), Statement(clause, SQLITE)
        assert (found.sql, found._fixed) == (expected.sql, expected._fixed)
    assert compiled.statement(one, SQLITE) is not compiled.statement(other, SQLITE)


def test_a_statement_is_for_one_database_and_for_its_columns() -> None:
    compiled = Compiled()
    whole = compiled.statement(insert(account), SQLITE)
    assert compiled.statement(insert(account), POSTGRESQL).sql != whole.sql
    assert compiled.statement(insert(account), SQLITE, ["id"]).sql != whole.sql
