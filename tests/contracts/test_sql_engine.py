"""What a store may ask of either database: one statement to read or to write by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from sqlalchemy import bindparam, delete, insert, make_url, select, update

from bjidp.storage.sql.database import dialects
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Value
from bjidp.storage.sql.schema import audit_event
from tests.contracts.house import House
from tests.support.sqlite import AS_SHIPPED

EVENT: dict[str, Value] = {"kind": "k", "at": 1, "facts": "{}"}


async def ways(engine: SqlEngine) -> AsyncIterator[int]:
    """PostgreSQL answers by a thread as long as its pipelines are not open; SQLite always in the same way."""
    yield 1
    await engine.opened()
    yield 2


async def test_a_reading_statement_gives_its_first_row_or_all_of_them(house: House) -> None:
    engine = house.sql.engine
    found = engine.compile(select(audit_event.c.at).where(audit_event.c.at < bindparam("end")).order_by("at"))
    for number in range(3):
        house.rows("INSERT INTO audit_event (kind, at, facts) VALUES ('k', :n, '{}')", n=number)
    async for _ in ways(engine):
        assert await engine.one(found, {"end": 9}) == (0,)
        assert await engine.all(found, {"end": 9}) == [(0,), (1,), (2,)]
        assert await engine.one(found, {"end": 0}) is None
        assert await engine.all(found, {"end": 0}) == []


async def test_a_writing_statement_gives_its_rows_and_how_many_it_wrote(house: House) -> None:
    engine = house.sql.engine
    moved = (
        update(audit_event)
        .where(audit_event.c.at == bindparam("old"))
        .values(at=bindparam("new"))
        .returning(audit_event.c.at)
    )
    add, move = engine.compile(insert(audit_event).inline(), tuple(EVENT)), engine.compile(moved)
    remove = engine.compile(delete(audit_event).where(audit_event.c.at == bindparam("old")))
    async for _ in ways(engine):
        assert await engine.write_one(add, EVENT) == ([], 1)
        assert await engine.write_one(add, EVENT) == ([], 1)
        assert await engine.write_one(move, {"old": 1, "new": 2}) == ([(2,), (2,)], 2)
        assert await engine.write_one(move, {"old": 1, "new": 2}) == ([], 0)
        assert await engine.write_one(remove, {"old": 2}) == ([], 2)
        assert await engine.write_one(remove, {"old": 2}) == ([], 0)


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize("opened", ["connect", "connect_loop"])
def test_a_commit_to_a_file_waits_until_it_is_on_the_disk(
    sqlite_url: str, opened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects, "SQLITE_PRAGMAS", AS_SHIPPED)
    with closing(getattr(dialects.Sqlite(make_url(sqlite_url)), opened)()) as connection:
        # FULL: the log is on the disk before a commit is answered (sqlite.org/pragma.html).
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
