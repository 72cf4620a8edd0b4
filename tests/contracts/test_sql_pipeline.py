"""PostgreSQL on the event loop: who gets which answer, what is left to the threads, and what nobody can know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy import text

from bjidp.entropy import SystemEntropy, token
from bjidp.errors import AccountRefused, StoreUnavailable
from bjidp.standing import Standing
from bjidp.storage.sql.catalog import SqlStores, open_sql
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.pipeline import Pipeline, PipelineLost, PipelinePool, PipelineUnavailable
from bjidp.storage.sql.database.statements import Row, Value
from bjidp.storage.sql.database.transaction import Answer
from tests.contracts.house import House, keyring

OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
KILL = f"SELECT pg_terminate_backend(pid) {OTHERS}"


@pytest.fixture
async def account(postgres_house: House) -> Standing:
    """Somebody, registered while there are threads."""
    return (await postgres_house.someone())[1]


@pytest.fixture
async def stores(postgres_house: House) -> AsyncIterator[SqlStores]:
    """Stores whose pipelines are open and whose threads have nothing to do."""
    stores = open_sql(f"{postgres_house.url}?application_name=apart", keyring(), SystemEntropy(), postgres_house.clock)
    await stores.engine.opened()
    yield stores
    # A thread connects when it is given work.
    connected = postgres_house.rows("SELECT 1 FROM pg_stat_activity WHERE application_name = 'apart'")
    await stores.close()
    assert len(connected) <= 5, "something was left to a thread"


@pytest.fixture
async def engine(stores: SqlStores) -> SqlEngine:
    return stores.engine


@pytest.fixture
async def pipelines(postgres_house: House) -> AsyncIterator[list[Pipeline]]:
    """Two pipelines, which open when they are asked."""
    pipelines = [_pipeline(postgres_house, 5.0) for _ in range(2)]
    yield pipelines
    for pipeline in pipelines:
        await pipeline.close()


@pytest.fixture
async def pipeline(pipelines: list[Pipeline]) -> Pipeline:
    """An open pipeline."""
    await pipelines[0].opened()
    return pipelines[0]


def _pipeline(house: House, deadline: float) -> Pipeline:
    address = house.url.replace("+psycopg", "")
    return Pipeline(lambda: psycopg.connect(address, autocommit=True), deadline)


async def _under_way(house: House) -> None:
    """Return when a statement is under way in the database."""
    async with asyncio.timeout(10):
        while not house.rows(f"SELECT 1 {OTHERS} AND state = 'active'"):  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.01)


async def _one(engine: SqlEngine, sql: str, **values: Value) -> Row | None:
    return await engine.one(engine.compile(text(sql)), values)


async def _write_one(engine: SqlEngine, sql: str, **values: Value) -> Answer:
    return await engine.write_one(engine.compile(text(sql)), values)


async def test_every_kind_of_value_goes_and_comes_as_it_is(engine: SqlEngine) -> None:
    sql = "SELECT CAST(:t AS VARCHAR), CAST(:n AS BIGINT), CAST(:o AS BYTEA), CAST(:x AS VARCHAR), true, '%'"
    row = await _one(engine, sql, t="张三 %s $1", n=-(2**62), o=bytes(range(256)), x=None)
    assert row == ("张三 %s $1", -(2**62), bytes(range(256)), None, True, "%")


async def test_text_with_a_zero_in_it_is_refused_and_not_cut_off(postgres_house: House) -> None:
    engine = postgres_house.sql.engine
    _, standing = await postgres_house.someone()
    for _ in range(2):
        assert await postgres_house.accounts.standing(standing.account) is not None
        # By a thread at first, by a pipeline later; and it is no outage.
        with pytest.raises(ValueError, match="cannot hold"):
            await postgres_house.accounts.standing(f"{standing.account}\0")
        with pytest.raises(ValueError, match="cannot hold"):
            await _write_one(engine, "INSERT INTO audit_event (kind, at, facts) VALUES (:k, 1, '{}')", k="a\0b")
        await engine.opened()
    assert postgres_house.rows("SELECT kind FROM audit_event WHERE kind LIKE 'a%b' OR kind = 'a'") == []


async def test_everybody_gets_their_own_answer_though_some_leave(engine: SqlEngine) -> None:
    sql = "SELECT CAST(:n AS BIGINT)"
    asking = [asyncio.ensure_future(_one(engine, sql, n=number)) for number in range(200)]
    await asyncio.sleep(0)
    for quitter in asking[::3]:
        quitter.cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    for number, answer in enumerate(answers):
        if number % 3:
            assert answer == (number,)
        else:
            assert isinstance(answer, asyncio.CancelledError)


async def test_a_statement_that_is_refused_takes_no_other_with_it(pipeline: Pipeline) -> None:
    for _ in range(2):
        # The first round prepares, and what cannot even be prepared is refused then.
        asked = ("SELECT 1", "SELECT 1 / 0", "SELECT 2", "SELECT nonsense", "SELECT 3")
        answers = await asyncio.gather(*(pipeline.ask(sql, ()) for sql in asked), return_exceptions=True)
        assert [answers[number] for number in (0, 2, 4)] == [([(1,)], 1), ([(2,)], 1), ([(3,)], 1)]
        assert [type(answers[number]) for number in (1, 3)] == [PipelineUnavailable] * 2


async def test_refusals_leave_nothing_at_the_server(pipeline: Pipeline) -> None:
    for _ in range(20):
        with pytest.raises(PipelineUnavailable):
            await pipeline.ask("SELECT 1 / %s::int", [0])
        with pytest.raises(PipelineUnavailable):
            await pipeline.ask("SELECT nonsense", [])
    (row,) = (await pipeline.ask("SELECT count(*)::int FROM pg_prepared_statements", [])).rows
    assert row[0] <= 2


async def test_a_statement_that_the_server_has_forgotten_is_prepared_anew(pipeline: Pipeline) -> None:
    assert (await pipeline.ask("SELECT %s::int", [7])).rows == [(7,)]
    await pipeline.ask("DEALLOCATE ALL", [])
    with pytest.raises(PipelineUnavailable):
        await pipeline.ask("SELECT %s::int", [7])
    assert (await pipeline.ask("SELECT %s::int", [7])).rows == [(7,)]


async def test_what_was_refused_has_changed_nothing(pipeline: Pipeline, postgres_house: House) -> None:
    insert = "WITH told AS (INSERT INTO audit_event (kind, at, facts) VALUES ('k', 1, '{}') RETURNING id)"
    sql = f"{insert} SELECT 1 / 0 FROM told"  # noqa: S608 - of constants
    with pytest.raises(PipelineUnavailable):
        await pipeline.ask(sql, ())
    assert postgres_house.count("audit_event") == 0


async def test_a_read_that_was_under_way_when_the_connection_broke_goes_another_way(postgres_house: House) -> None:
    engine = postgres_house.sql.engine
    await engine.opened()
    slow = asyncio.ensure_future(_one(engine, "SELECT 7 FROM pg_sleep(0.3)"))
    await _under_way(postgres_house)
    postgres_house.rows(KILL)
    assert await slow == (7,)


@pytest.mark.req("OPS-4")
async def test_nobody_can_know_of_a_write_that_was_under_way_when_the_connection_broke(
    postgres_house: House,
) -> None:
    engine = postgres_house.sql.engine
    await engine.opened()
    writing = asyncio.ensure_future(_write_one(engine, "SELECT 7 FROM pg_sleep(5)"))
    await _under_way(postgres_house)
    postgres_house.rows(KILL)
    with pytest.raises(StoreUnavailable):
        await writing


async def test_a_server_that_is_silent_is_hung_up_on(postgres_house: House) -> None:
    pipeline = _pipeline(postgres_house, 0.2)
    await pipeline.opened()
    # The second is refused with the first, whose fault it is.
    answers = await asyncio.gather(
        pipeline.ask("SELECT pg_sleep(5)", ()), pipeline.ask("SELECT 1", ()), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 2
    with pytest.raises(PipelineUnavailable):
        await pipeline.ask("SELECT 1", ())
    await pipeline.close()


async def test_a_pipeline_that_broke_opens_itself_again(pipeline: Pipeline, postgres_house: House) -> None:
    await pipeline.ask("SELECT 1", ())
    postgres_house.rows(KILL)
    with pytest.raises((PipelineLost, PipelineUnavailable)):
        await pipeline.ask("SELECT 1", ())
    async with asyncio.timeout(10):
        while True:
            try:
                assert await pipeline.ask("SELECT 1", ()) == ([(1,)], 1)
            except PipelineUnavailable:
                await asyncio.sleep(0.01)
            else:
                break


async def test_more_writers_than_pipelines_take_turns(engine: SqlEngine, postgres_house: House) -> None:
    values = "SELECT 'k', CAST(:n AS BIGINT), '{}' FROM pg_sleep(0.01)"
    sql = f"INSERT INTO audit_event (kind, at, facts) {values} RETURNING at"
    wrote = await asyncio.gather(*(_write_one(engine, sql, n=number) for number in range(40)))
    assert wrote == [([(number,)], 1) for number in range(40)]
    assert postgres_house.count("audit_event") == 40


@pytest.mark.parametrize("leaves", ["cancelled", "out of patience"])
async def test_a_pipeline_is_given_to_nobody_while_a_statement_of_one_who_left_is_under_way(
    pipelines: list[Pipeline], postgres_house: House, leaves: str
) -> None:
    pool = PipelinePool(pipelines, patience=0.5)
    await pool.opened()
    leaving = asyncio.ensure_future(pool.ask("SELECT pg_sleep(4)", ()))
    await _under_way(postgres_house)
    if leaves == "cancelled":
        leaving.cancel()
    await asyncio.wait([leaving])
    for _ in range(3):
        assert await pool.ask("SELECT 1", ()) == ([(1,)], 1)
    assert postgres_house.rows(f"SELECT 1 {OTHERS} AND state = 'active'"), "it is still under way"
    postgres_house.rows(KILL)


async def test_of_several_pipelines_one_that_is_open_is_taken(pipelines: list[Pipeline]) -> None:
    pool = PipelinePool(pipelines, patience=5)
    await pipelines[0].opened()
    for _ in range(3):
        assert await pool.ask("SELECT 1", ()) == ([(1,)], 1)


async def test_a_pipeline_that_could_not_be_asked_is_given_back(pipelines: list[Pipeline]) -> None:
    pool = PipelinePool(pipelines, patience=5)
    for _ in range(3):
        with pytest.raises(PipelineUnavailable):
            await pool.ask("SELECT 1", ())
    await pipelines[0].opened()
    assert await pool.ask("SELECT 1", ()) == ([(1,)], 1)


async def test_closing_waits_for_a_statement_whose_caller_has_left(pipeline: Pipeline, postgres_house: House) -> None:
    sql = "INSERT INTO audit_event (kind, at, facts) SELECT 'k', 1, '{}' FROM pg_sleep(0.2)"
    pipeline.ask(sql, ()).cancel()
    await pipeline.close()
    assert postgres_house.count("audit_event") == 1


async def test_closing_waits_for_a_write_that_was_begun(postgres_house: House, stores: SqlStores) -> None:
    sql = "INSERT INTO audit_event (kind, at, facts) SELECT 'k', 1, '{}' FROM pg_sleep(0.2) RETURNING at"
    writing = asyncio.ensure_future(_write_one(stores.engine, sql))
    await asyncio.sleep(0)
    await stores.close()
    assert await writing == ([(1,)], 1)
    assert postgres_house.count("audit_event") == 1


@pytest.mark.attack("Q21")
async def test_a_login_by_qr_is_admitted_in_one_statement(
    account: Standing, stores: SqlStores, postgres_house: House
) -> None:
    """Besides: an account that is locked or unknown leaves no trace, and the same network is one row."""
    house = postgres_house
    session = token(house.entropy, 128)
    for _ in range(2):
        assert await stores.accounts.admit(account.account, house.login(), session, house.now) is not None
    assert await stores.accounts.admit(account.account, house.login(ticket=None), session, house.now) is not None
    assert house.count("login_network") == 1
    before = house.counts()
    house.set_status(account.account, "locked")
    for name in (account.account, "nobody"):
        with pytest.raises(AccountRefused):
            await stores.accounts.admit(name, house.login(), session, house.now)
    assert house.counts() == before
