"""What runs by itself finds what is due by an index, however much there is in a table (PRV-4)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from bjidp.organisations.mandates import Place
from bjidp.serving.tidying import Tidying
from bjidp.storage.sql.database.statements import Statement, Value
from tests.contracts.house import House

_CHOSEN = re.compile(r"WITH chosen AS \n\((SELECT .*?) FOR UPDATE SKIP LOCKED\)", re.DOTALL)
Asked = tuple[str, tuple[Value, ...]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """Every statement that is run from now on, and its values."""
    found: list[Asked] = []
    bind = Statement.bind

    def noted(self: Statement, values: Mapping[str, Value]) -> Sequence[Value]:
        bound = bind(self, values)
        found.append((self.sql, tuple(bound)))
        return bound

    monkeypatch.setattr(Statement, "bind", noted)
    return found


def whole_looks(url: str, asked: list[Asked]) -> set[str]:
    """Return each statement that reads a whole table, and which one."""
    looks = _of_sqlite if url.startswith("sqlite") else _of_postgresql
    return set(looks(url, asked))


def _of_sqlite(url: str, asked: list[Asked]) -> Iterator[str]:
    with sqlite3.connect(str(make_url(url).database)) as connection:
        # An index of the few is as long as what is due.
        few = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE '% WHERE %'")}
        for sql, values in asked:
            if sql.startswith(("SELECT", "UPDATE", "DELETE")):
                plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
                yield from (
                    f"{step}: {sql}" for step in plan if step.startswith("SCAN") and step.split()[-1] not in few
                )


def _of_postgresql(url: str, asked: list[Asked]) -> Iterator[str]:
    with psycopg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        # A small table is read whole by choice: what is left of that is where there is none. Of tables that are joined
        # it would be chance which is looked at first, so what is to be deleted is looked at by itself.
        connection.execute("SET enable_seqscan = off")
        for sql, values in asked:
            chosen = _CHOSEN.match(sql)
            look = sql if chosen is None else chosen[1]
            if look.startswith("SELECT") and "JOIN" not in look:
                ((plan,),) = connection.execute(f"EXPLAIN (FORMAT JSON) {look}", values[: look.count("%s")])
                for node in _nodes(plan[0]["Plan"]):
                    kind = node["Node Type"]
                    if kind == "Seq Scan" or (kind in {"Index Scan", "Index Only Scan"} and "Index Cond" not in node):
                        yield f"{kind} of {node['Relation Name']}: {look}"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


@pytest.mark.req("PRV-4")
async def test_cleaning_up_reads_no_table_whole(house: House, asked: list[Asked]) -> None:
    stores = house.sql
    tidying = Tidying(
        sessions=stores.sessions,
        grants=stores.grants,
        logouts=stores.logouts,
        mini_sessions=stores.mini_sessions,
        accounts=stores.accounts,
        members=stores.members,
        wishes=stores.wishes,
        identities=stores.identities,
        checks=stores.checks,
        organisations=stores.organisations,
        appeals=stores.appeals,
        clock=house.clock,
    )
    await tidying.once()
    assert len(asked) >= 13
    assert whole_looks(house.url, asked) == set()


@pytest.mark.req("PRV-4", "ORG-2")
async def test_neither_what_is_handed_on_nor_a_history_reads_a_table_whole(
    sqlite_house: House, asked: list[Asked]
) -> None:
    stores, now = sqlite_house.sql, sqlite_house.now
    await stores.logouts.due(now, 10)
    await stores.logouts.take("portal", now, now, 10)
    await stores.wishes.take_on(now)
    await stores.appeals.outcomes(now, 10)
    await stores.organisations.appointed_before("a", "o", now, 10, Place(now, "m"))
    await stores.organisations.entrusted_before("a", now, 10, Place(now, "m"))
    await stores.organisations.offered("13800138000", now)
    assert len(asked) >= 7
    assert whole_looks(sqlite_house.url, asked) == set()
