"""Short writes that share a transaction: each caller's promise holds as if it were alone."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from sqlalchemy import text

from bjidp.errors import StoreUnavailable
from bjidp.storage.sql.database import group_commit
from bjidp.storage.sql.database.dialects import Sqlite
from bjidp.storage.sql.database.engine import open_engine
from bjidp.storage.sql.database.group_commit import MOST
from bjidp.storage.sql.database.transaction import Connection, Transaction
from tests.contracts.house import House
from tests.support.sqlite import PACE

Work = Callable[[Transaction], object]


@pytest.fixture(autouse=True)
def as_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for others to share a commit with."""
    monkeypatch.setattr(group_commit, "PACE", PACE)


class Ledger:
    """An engine on a file, and a look at the file from outside."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url, threads=2)
        self._path = url.removeprefix("sqlite:///")
        self._insert = self.engine.compile(text("INSERT INTO audit_event (kind, at, facts) VALUES (:kind, 1, '{}')"))

    def note(self, kind: str) -> Work:
        return lambda transaction: transaction.run(self._insert, {"kind": kind})

    def spoilt(self, kind: str) -> Work:
        def work(transaction: Transaction) -> None:
            self.note(kind)(transaction)
            raise LookupError(kind)

        return work

    def kinds(self) -> list[str]:
        """Return what others see: only what is committed."""
        with contextlib.closing(sqlite3.connect(self._path)) as connection:
            return sorted(kind for (kind,) in connection.execute("SELECT kind FROM audit_event"))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the write lock as another process would."""
        with contextlib.closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")


@pytest.fixture
async def ledger(sqlite_url: str) -> AsyncIterator[Ledger]:
    made = Ledger(sqlite_url)
    yield made
    await made.engine.close()


class Commits:
    """Counts commits, holds them up and lets them fail, on the way to the driver."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        self.on_the_loop = 0
        self._met = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.fault: sqlite3.Error | None = None
        self._home = threading.get_ident()
        connect = Sqlite.connect_loop
        monkeypatch.setattr(Sqlite, "connect_loop", lambda database: _Watched(connect(database), self))

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self._met.wait, 10)

    def pass_by(self) -> None:
        self.begun += 1
        self._met.set()
        self.on_the_loop += threading.get_ident() == self._home
        assert self.go_on.wait(10)
        if self.fault is not None:
            raise self.fault


class _Watched:
    def __init__(self, connection: Connection, commits: Commits) -> None:
        self._connection = connection
        self._commits = commits

    def execute(self, sql: str, *values: object) -> object:
        if sql == "COMMIT":
            self._commits.pass_by()
        return self._connection.execute(sql, *values)  # type: ignore[arg-type]

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> Commits:
    return Commits(monkeypatch)


async def test_what_comes_together_is_committed_together_and_never_on_the_loop(
    commits: Commits, ledger: Ledger
) -> None:
    await asyncio.gather(*(ledger.engine.write_briefly(ledger.note(f"k{number}")) for number in range(8)))
    assert len(ledger.kinds()) == 8
    assert (commits.begun, commits.on_the_loop) == (1, 0)


async def test_nobody_is_told_of_a_success_before_the_commit(commits: Commits, ledger: Ledger) -> None:
    commits.go_on.clear()
    writing = asyncio.ensure_future(ledger.engine.write_briefly(ledger.note("k")))
    await commits.has_begun()
    assert not writing.done()
    assert ledger.kinds() == []
    commits.go_on.set()
    await writing
    assert ledger.kinds() == ["k"]


async def test_what_comes_during_a_commit_takes_the_next_one(commits: Commits, ledger: Ledger) -> None:
    commits.go_on.clear()
    first = asyncio.ensure_future(ledger.engine.write_briefly(ledger.note("first")))
    await commits.has_begun()
    rest = [asyncio.ensure_future(ledger.engine.write_briefly(ledger.note("rest"))) for _ in range(5)]
    await asyncio.sleep(0)
    commits.go_on.set()
    await asyncio.gather(first, *rest)
    assert ledger.kinds() == ["first", *["rest"] * 5]
    assert commits.begun == 2


async def test_a_work_that_raises_takes_nobody_with_it(commits: Commits, ledger: Ledger) -> None:
    works = [ledger.note("a"), ledger.spoilt("b"), ledger.note("c"), ledger.spoilt("d")]
    outcomes = await asyncio.gather(*(ledger.engine.write_briefly(work) for work in works), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, LookupError, int, LookupError]
    assert ledger.kinds() == ["a", "c"]
    # Those that did not raise shared their commit all the same.
    assert commits.begun == 1


@pytest.mark.req("OPS-4")
async def test_a_commit_that_fails_is_unavailable_for_all_of_it_and_the_next_one_works(
    commits: Commits, ledger: Ledger
) -> None:
    commits.fault = sqlite3.OperationalError("disk I/O error")
    works = [ledger.note("a"), ledger.note("b")]
    outcomes = await asyncio.gather(*(ledger.engine.write_briefly(work) for work in works), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
    commits.fault = None
    assert ledger.kinds() == []
    await ledger.engine.write_briefly(ledger.note("c"))
    assert ledger.kinds() == ["c"]


async def test_a_lock_held_elsewhere_is_waited_for_and_not_on_the_loop(commits: Commits, ledger: Ledger) -> None:
    with ledger.locked():
        writing = [asyncio.ensure_future(ledger.engine.write_briefly(ledger.note("k"))) for _ in range(5)]
        # The loop answers others meanwhile.
        await asyncio.to_thread(lambda: None)
        assert not any(work.done() for work in writing)
    await asyncio.gather(*writing)
    assert ledger.kinds() == ["k"] * 5
    assert commits.begun == 1


async def test_a_lock_that_is_not_given_back_is_waited_for_as_long_as_a_callers_patience(
    sqlite_url: str, ledger: Ledger
) -> None:
    impatient = open_engine(sqlite_url, threads=2, patience=0.05)
    with ledger.locked(), pytest.raises(StoreUnavailable):
        await impatient.write_briefly(ledger.note("k"))
    await impatient.write_briefly(ledger.note("later"))
    await impatient.close()
    assert ledger.kinds() == ["later"]


async def test_a_long_write_and_a_refusal_leave_the_next_turn_together(commits: Commits, ledger: Ledger) -> None:
    with pytest.raises(LookupError):
        await ledger.engine.write_briefly(ledger.spoilt("refused"))
    await asyncio.gather(
        ledger.engine.write(ledger.note("long")),
        *(ledger.engine.write_briefly(ledger.note("short")) for _ in range(6)),
    )
    assert ledger.kinds() == ["long", *["short"] * 6]
    assert commits.begun == 1


async def test_a_caller_that_has_gone_before_its_turn_is_not_written(commits: Commits, ledger: Ledger) -> None:
    commits.go_on.clear()
    first = asyncio.ensure_future(ledger.engine.write_briefly(ledger.note("first")))
    await commits.has_begun()
    gone = asyncio.ensure_future(ledger.engine.write_briefly(ledger.note("gone")))
    await asyncio.sleep(0)
    gone.cancel()
    commits.go_on.set()
    await first
    # Alone in its turn: there is nothing to commit, and the next one comes through.
    await asyncio.gather(gone, return_exceptions=True)
    await ledger.engine.write_briefly(ledger.note("last"))
    assert ledger.kinds() == ["first", "last"]
    assert commits.begun == 2


async def test_a_disk_that_stood_still_longer_than_everybodys_patience_is_written_to_again(
    commits: Commits, sqlite_url: str, ledger: Ledger
) -> None:
    impatient = open_engine(sqlite_url, threads=2, patience=0.05)
    commits.go_on.clear()
    works = [asyncio.ensure_future(impatient.write_briefly(ledger.note("held")))]
    await commits.has_begun()
    works += [asyncio.ensure_future(impatient.write_briefly(ledger.note("waits"))) for _ in range(3)]
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 4
    commits.go_on.set()
    await impatient.write_briefly(ledger.note("after"))
    await impatient.close()
    assert ledger.kinds() == ["after", "held"]


async def test_logins_whose_sessions_are_kept_elsewhere_share_a_commit(commits: Commits, sqlite_house: House) -> None:
    link, standing = await sqlite_house.someone()
    accounts, now = sqlite_house.sql.accounts, sqlite_house.now
    browsers = [accounts.admit(standing.account, sqlite_house.login(), f"B{number}", now) for number in range(4)]
    phones = [accounts.admit_mini(standing.account, link.id, "wechat", f"M{number}", now) for number in range(4)]
    await asyncio.gather(*browsers, *phones)
    assert [session for _, _, session in sqlite_house.audit()][-8:] == [f"{kind}{n}" for kind in "BM" for n in range(4)]
    assert commits.begun == 1


async def test_more_than_one_transaction_may_hold_takes_turns(commits: Commits, ledger: Ledger) -> None:
    count = MOST + 1
    await asyncio.gather(*(ledger.engine.write_briefly(ledger.note("k")) for _ in range(count)))
    assert len(ledger.kinds()) == count
    assert commits.begun == 2


async def test_closing_finishes_what_was_begun_and_what_waits(commits: Commits, ledger: Ledger) -> None:
    commits.go_on.clear()
    first = asyncio.ensure_future(ledger.engine.write_briefly(ledger.note("first")))
    await commits.has_begun()
    second = asyncio.ensure_future(ledger.engine.write_briefly(ledger.note("second")))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(ledger.engine.close())
    await asyncio.sleep(0)
    commits.go_on.set()
    await asyncio.gather(first, second, closing)
    assert ledger.kinds() == ["first", "second"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sql-")]
    with pytest.raises(StoreUnavailable):
        await ledger.engine.write_briefly(ledger.note("late"))
