"""A database that is down, goes away or comes back: ``StoreUnavailable``, never a driver's error, on every call."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from bjidp.accounts.identifiers import of_phone
from bjidp.accounts.member_ports import NewMember
from bjidp.audit.event import AuditEvent, EventKind
from bjidp.clock import SystemClock
from bjidp.entropy import SystemEntropy
from bjidp.errors import StoreUnavailable
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.sessions.ports import SessionEnd
from bjidp.storage.sql.catalog import SqlStores, open_sql
from bjidp.storage.sql.database.engine import open_engine
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.migrations import current_revision, migrate
from tests.contracts.house import LI, OFFICE, TICKET, ZHANG, House, applicant, cookie, identity, keyring
from tests.support.processes import free_port

PHONE = of_phone("13800138000")

Call = Callable[[House, SqlStores], Awaitable[object]]

CALLS: dict[str, Call] = {
    "link_of": lambda _, s: s.accounts.link_of(identity()),
    "holder_of": lambda _, s: s.accounts.holder_of(ZHANG),
    "register": lambda h, s: s.accounts.register(applicant(), h.now),
    "relink": lambda h, s: s.accounts.relink("a", applicant(), probation_until=None, now=h.now),
    "standing": lambda _, s: s.accounts.standing("a"),
    "standing_of_link": lambda _, s: s.accounts.standing_of_link("a"),
    "links_of": lambda _, s: s.accounts.links_of("a"),
    "link": lambda _, s: s.accounts.link("l"),
    "profile": lambda _, s: s.accounts.profile("a"),
    "networks": lambda _, s: s.accounts.networks("a", [OFFICE]),
    "forget_networks": lambda h, s: s.accounts.forget_networks(h.now, 9),
    "admit": lambda h, s: s.accounts.admit("a", h.login(), "S", h.now),
    "admit_mini": lambda h, s: s.accounts.admit_mini("a", "l", "wechat", "S", h.now),
    "members.is_held": lambda _, s: s.members.is_held(PHONE),
    "members.find": lambda _, s: s.members.find([PHONE]),
    "members.member": lambda _, s: s.members.member("a"),
    "members.enrol": lambda h, s: s.members.enrol(NewMember(username=None, phone="1", password=None), h.now),
    "members.set_password": lambda h, s: s.members.set_password("a", "h", EventKind.PASSWORD_CHANGED, h.now, was="g"),
    "members.rehash": lambda _, s: s.members.rehash("a", "h", "i"),
    "members.set_phone": lambda h, s: s.members.set_phone("a", "1", h.now),
    "members.phone_proved": lambda h, s: s.members.phone_proved("a", h.now),
    "members.merge_phone": lambda h, s: s.members.merge_phone("a", "1", h.now),
    "members.set_mail": lambda h, s: s.members.set_mail("a", "a@b", h.now),
    "members.set_username": lambda h, s: s.members.set_username("a", "b", h.now),
    "members.set_ethnicity": lambda h, s: s.members.set_ethnicity("a", "HA", h.now),
    "members.cancel": lambda h, s: s.members.cancel("a", h.now),
    "members.notices": lambda _, s: s.members.notices("a", 9),
    "members.see_notices": lambda h, s: s.members.see_notices("a", h.now, up_to=1),
    "members.history": lambda _, s: s.members.history("a", 9),
    "members.forget_notices": lambda h, s: s.members.forget_notices(h.now, 9),
    "sessions.open": lambda h, s: s.sessions.open(h.session("a"), cookie("a"), None),
    "sessions.find": lambda h, s: s.sessions.find(cookie("a"), h.now),
    "sessions.save": lambda h, s: s.sessions.save(h.session("a")),
    "sessions.rekey": lambda h, s: s.sessions.rekey(h.session("a"), b"k", b"f", h.now),
    "sessions.end": lambda h, s: s.sessions.end("S", SessionEnd.LOGOUT, h.now),
    "sessions.end_by_ticket": lambda h, s: s.sessions.end_by_ticket("a", [TICKET], SessionEnd.UNDO, h.now),
    "sessions.end_others": lambda h, s: s.sessions.end_others("a", None, SessionEnd.CHOSEN, h.now),
    "sessions.of_account": lambda h, s: s.sessions.of_account("a", h.now),
    "sessions.purge": lambda h, s: s.sessions.purge(h.now, 9),
    "mini_sessions.find": lambda h, s: s.mini_sessions.find("S", h.now),
    "mini_sessions.end": lambda h, s: s.mini_sessions.end("S", MiniSessionEnd.LOGOUT, h.now),
    "mini_sessions.end_others": lambda h, s: s.mini_sessions.end_others("a", None, MiniSessionEnd.CHOSEN, h.now),
    "mini_sessions.of_account": lambda h, s: s.mini_sessions.of_account("a", h.now),
    "mini_sessions.live_of_link": lambda h, s: s.mini_sessions.live_of_link("l", h.now),
    "mini_sessions.purge": lambda h, s: s.mini_sessions.purge(h.now, 9),
    "audit.append": lambda h, s: s.audit.append(AuditEvent(EventKind.LOGIN_REPORTED, h.now)),
    "rotation.fill": lambda _, s: s.rotation.fill(),
    "ping": lambda _, s: s.ping(),
}


@pytest.fixture(params=["no folder", "no database file", "nobody listens"])
async def dead(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStores]:
    """Stores whose database is not there."""
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"this is no database, " * 100)
    stores = open_sql(
        {
            "no folder": f"sqlite:///{tmp_path}/nowhere/bjidp.db",
            "no database file": f"sqlite:///{garbage}",
            "nobody listens": f"postgresql+psycopg://bjidp@127.0.0.1:{free_port()}/bjidp",
        }[request.param],
        keyring(),
        SystemEntropy(),
        SystemClock(),
        threads=1,
    )
    yield stores
    await stores.close()


@pytest.mark.req("OPS-4")
async def test_every_call_on_a_dead_database_is_unavailable(dead: SqlStores, sqlite_house: House) -> None:
    assert await _outcomes(sqlite_house, dead) == dict.fromkeys(CALLS, StoreUnavailable)


async def test_every_call_after_closing_is_unavailable(house: House) -> None:
    await house.sql.close()
    await house.sql.close()
    assert await _outcomes(house, house.sql) == dict.fromkeys(CALLS, StoreUnavailable)


async def _outcomes(house: House, stores: SqlStores) -> dict[str, type[object]]:
    """Make every call and return the type of what came of each."""
    results = await asyncio.gather(*(call(house, stores) for call in CALLS.values()), return_exceptions=True)
    return {name: type(result) for name, result in zip(CALLS, results, strict=True)}


@pytest.mark.req("OPS-4")
async def test_the_stores_come_back_with_the_server_without_a_restart(postgres_house: House) -> None:
    link, standing = await postgres_house.someone()
    database = postgres_house.url.rpartition("/")[2]
    assert await asyncio.gather(*(postgres_house.accounts.standing(standing.account) for _ in range(16)))
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :d AND pid <> pg_backend_pid()"
    postgres_house.rows(kill, d=database)
    # Every thread holds a connection that is dead now; reads and writes both open another one.
    assert await asyncio.gather(*(postgres_house.accounts.standing(standing.account) for _ in range(16)))
    postgres_house.rows(kill, d=database)
    await asyncio.gather(*(postgres_house.mini_sessions.open(postgres_house.mini_session(link)) for _ in range(16)))
    assert postgres_house.count("mini_session") == 16


async def test_a_driver_error_leaves_neither_values_nor_its_own_text(house: House) -> None:
    """PostgreSQL puts the offending row into its message: none of that may reach a log."""
    _, standing = await house.someone()
    session = house.session(standing.account, data={"secret": "张三 110101199003074530"})
    await house.sessions.open(session, cookie("a"), None)
    with pytest.raises(StoreUnavailable) as failed:
        await house.sessions.open(session, cookie("b"), None)
    shown = "".join(traceback.format_exception(failed.value))
    assert "StoreFault" in shown
    assert "110101199003074530" not in shown
    assert session.csrf not in shown
    assert house.count("browser_session") == 1


async def test_work_that_raises_is_rolled_back_and_its_error_reaches_the_caller(house: House) -> None:
    engine = house.sql.engine
    insert = engine.compile(text("INSERT INTO audit_event (kind, at, facts) VALUES ('k', 1, '{}')"))

    def work(transaction: Transaction) -> None:
        transaction.run(insert, {})
        raise LookupError("of the work itself")

    with pytest.raises(LookupError):
        await engine.write(work)
    assert house.count("audit_event") == 0


async def test_contended_work_is_done_again_a_bounded_number_of_times(house: House) -> None:
    engine = house.sql.engine
    insert = engine.compile(text("INSERT INTO audit_event (kind, at, facts) VALUES ('k', 1, '{}')"))
    tries = 0

    def work(transaction: Transaction) -> int:
        nonlocal tries
        tries += 1
        transaction.run(insert, {})
        if tries < 3:
            raise Contended
        return tries

    assert await engine.write(work) == 3
    assert house.count("audit_event") == 1

    def hopeless(_: Transaction) -> None:
        nonlocal tries
        tries += 1
        raise Contended

    tries = 0
    with pytest.raises(StoreUnavailable):
        await engine.write(hopeless)
    assert tries == 5


async def test_two_transactions_in_each_others_way_both_come_through(postgres_house: House) -> None:
    """A deadlock is broken by PostgreSQL at the cost of one transaction, which is done again here."""
    _, zhang = await postgres_house.someone(ZHANG, identity("oZhang"))
    engine = postgres_house.sql.engine
    touch = engine.compile(text("UPDATE account SET created_at = created_at + 1 WHERE id = :id"))
    second = await postgres_house.accounts.register(
        applicant(LI, identity("oLi")),
        postgres_house.now,
    )
    barrier = threading.Barrier(2, timeout=5)
    first_time = {"a": True, "b": True}

    def work(name: str, ids: list[str]) -> Callable[[Transaction], None]:
        def run(transaction: Transaction) -> None:
            transaction.run(touch, {"id": ids[0]})
            if first_time[name]:
                first_time[name] = False
                barrier.wait()
            transaction.run(touch, {"id": ids[1]})

        return run

    ids = [zhang.account, second[1].account]
    await asyncio.gather(engine.write(work("a", ids)), engine.write(work("b", ids[::-1])))
    changed = postgres_house.rows("SELECT created_at FROM account")
    assert changed == [(postgres_house.now + 2,)] * 2


async def test_a_caller_waits_no_longer_than_its_patience_and_the_late_work_is_not_committed(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url, threads=2, patience=0.05)
    insert = engine.compile(text("INSERT INTO audit_event (kind, at, facts) VALUES ('k', 1, '{}')"))
    go_on = threading.Event()
    finished = threading.Event()

    def slow(transaction: Transaction) -> None:
        transaction.run(insert, {})
        go_on.wait(10)
        finished.set()

    with pytest.raises(StoreUnavailable):
        await engine.write(slow)
    queued = asyncio.ensure_future(engine.write(lambda transaction: transaction.run(insert, {})))
    with pytest.raises(StoreUnavailable):
        await queued
    go_on.set()
    await engine.close()
    assert finished.is_set()
    path = sqlite_url.removeprefix("sqlite:///")
    assert sqlite3.connect(path).execute("SELECT count(*) FROM audit_event").fetchone() == (0,)


async def test_closing_waits_for_work_that_was_begun(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url, threads=2)
    insert = engine.compile(text("INSERT INTO audit_event (kind, at, facts) VALUES ('k', 1, '{}')"))
    begun, go_on = threading.Event(), threading.Event()

    def slow(transaction: Transaction) -> None:
        begun.set()
        go_on.wait(10)
        transaction.run(insert, {})

    writing = asyncio.ensure_future(engine.write(slow))
    await asyncio.to_thread(begun.wait, 10)
    closing = asyncio.ensure_future(engine.close())
    await asyncio.sleep(0)
    go_on.set()
    await writing
    await closing
    path = sqlite_url.removeprefix("sqlite:///")
    assert sqlite3.connect(path).execute("SELECT count(*) FROM audit_event").fetchone() == (1,)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sql-")]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://u@localhost/d"])
def test_a_database_that_the_threads_could_not_share_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)sqlite"):
        open_engine(url)


@pytest.mark.parametrize("call", [migrate, current_revision])
def test_migrating_a_database_that_is_not_there_is_unavailable(tmp_path: Path, call: Callable[[str], object]) -> None:
    for url in (f"sqlite:///{tmp_path}/no/b.db", f"postgresql+psycopg://bjidp@127.0.0.1:{free_port()}/bjidp"):
        with pytest.raises(StoreUnavailable):
            call(url)
