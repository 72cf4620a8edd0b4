"""What sessions in Redis promise beyond the common contract: two stores that fail apart, and keys that die."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

import msgspec
import pytest
import structlog
from redis import Redis

from bjidp.audit.event import AuditEvent
from bjidp.clock import DAY, HOUR, SECOND, Instant, ManualClock
from bjidp.entropy import SeededEntropy, SystemEntropy, base64url
from bjidp.errors import AccountRefused, StoreUnavailable
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.sessions.ports import ConfirmationOver, Login, SessionEnd
from bjidp.standing import Standing
from bjidp.storage.redis.catalog import RedisStores, open_redis
from bjidp.storage.redis.client import Link, Script
from bjidp.storage.redis.lane import Argument, Reply
from bjidp.storage.redis.ledger import Gate
from bjidp.storage.redis.mini_sessions import RedisMiniSessions
from bjidp.storage.redis.moments import GRACE
from bjidp.storage.redis.sessions import RedisSessions
from bjidp.storage.sql.accounts import SqlAccounts
from bjidp.storage.sql.catalog import open_sql
from tests.contracts.house import TICKET, House, applicant, cookie, identity, keyring
from tests.support.redis import RedisServer


@pytest.fixture
def server(own_redis: Callable[..., RedisServer]) -> RedisServer:
    return own_redis()


@pytest.fixture
async def shared(server: RedisServer, entropy: SeededEntropy) -> AsyncIterator[RedisStores]:
    stores = await open_redis(server.url(), entropy=entropy, deadline=0.5)
    yield stores
    await stores.close()


@pytest.fixture
async def house(
    server: RedisServer, shared: RedisStores, sqlite_url: str, clock: ManualClock, entropy: SeededEntropy
) -> AsyncIterator[House]:
    sql = open_sql(sqlite_url, keyring(), SystemEntropy(), clock)
    sessions = shared.sessions(sql.accounts, sql.audit, sql.grants)
    mini_sessions = shared.mini_sessions(sql.accounts, sql.audit)
    yield House(sqlite_url, sql.accounts, sessions, mini_sessions, sql, clock, entropy, server.url())
    await sql.close()


class Faulty:
    """A link on which one call fails, or all from one on: before the server has it, or after, its answer lost."""

    def __init__(self, link: Link, failing: Callable[[int], bool], *, heard: bool) -> None:
        self._link = link
        self._failing = failing
        self._heard = heard
        self.calls = 0

    async def call(self, *command: Argument) -> Reply:
        return await self._pass(lambda: self._link.call(*command))

    async def run(self, script: Script, key: str, *arguments: Argument) -> Reply:
        return await self._pass(lambda: self._link.run(script, key, *arguments))

    async def _pass(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        self.calls += 1
        if not self._failing(self.calls):
            return await send()
        if self._heard:
            await send()
        raise StoreUnavailable


class Interrupted:
    """A database of accounts that fails, or does something else first, before what a test is about."""

    def __init__(self, accounts: SqlAccounts, first: Callable[[], Awaitable[None]]) -> None:
        self._accounts = accounts
        self._first = first

    async def standing(self, account: str) -> Standing | None:
        return await self._accounts.standing(account)

    async def standing_of_link(self, link: str) -> Standing | None:
        await self._first()
        return await self._accounts.standing_of_link(link)

    async def links_of(self, account: str) -> list[str]:
        return await self._accounts.links_of(account)

    async def admit(self, account: str, login: Login, session: str, now: Instant, epoch: int | None = None) -> Standing:
        await self._first()
        return await self._accounts.admit(account, login, session, now, epoch)

    async def admit_mini(self, account: str, link: str, platform: str, session: str, now: Instant) -> Standing:
        await self._first()
        return await self._accounts.admit_mini(account, link, platform, session, now)

    async def outdate(self, account: str) -> None:
        await self._first()
        await self._accounts.outdate(account)


async def _down() -> None:
    raise StoreUnavailable


@pytest.mark.attack("Q21")
async def test_an_account_that_is_refused_leaves_no_session_behind(house: House) -> None:
    link, standing = await house.someone()
    house.set_status(standing.account, "locked")
    with pytest.raises(AccountRefused):
        await house.sessions.open(house.session(standing.account), cookie("a"), None)
    with pytest.raises(AccountRefused):
        await house.mini_sessions.open(house.mini_session(link))
    house.set_status(standing.account, "active")
    assert await house.sessions.find(cookie("a"), house.now) is None
    assert await house.sessions.of_account(standing.account, house.now) == []
    assert not await house.mini_sessions.live_of_link(link.id, house.now)


async def test_a_database_that_fails_at_the_last_look_leaves_no_session_behind(
    house: House, shared: RedisStores
) -> None:
    link, standing = await house.someone()
    old = house.session(standing.account)
    await house.sessions.open(old, cookie("old"), None)
    failing = Interrupted(house.sql.accounts, _down)
    with pytest.raises(StoreUnavailable):
        await shared.sessions(failing, house.sql.audit, house.sql.grants).open(
            house.session(standing.account), cookie("new"), cookie("old")
        )
    with pytest.raises(StoreUnavailable):
        await shared.mini_sessions(failing, house.sql.audit).open(house.mini_session(link))
    assert await house.sessions.find(cookie("new"), house.now) is None
    assert await house.sessions.of_account(standing.account, house.now) == [old], "the old one goes on"
    assert not await house.mini_sessions.live_of_link(link.id, house.now)


@pytest.mark.parametrize("heard", [False, True], ids=["call lost", "answer lost"])
async def test_a_login_whose_write_fails_halfway_leaves_nothing_behind(
    house: House, shared: RedisStores, *, heard: bool
) -> None:
    link, standing = await house.someone()
    before = house.counts()
    for number in range(1, 9):
        faulty = Faulty(shared._link, lambda call, number=number: call == number, heard=heard)  # type: ignore[misc]
        sessions = RedisSessions(faulty, "bjidp:session:", house.sql.accounts, house.sql.audit, house.sql.grants)
        try:
            await sessions.open(house.session(standing.account), cookie("a"), None)
        except StoreUnavailable:
            assert house.counts() == before
            assert await house.sessions.find(cookie("a"), house.now) is None
            assert await house.sessions.of_account(standing.account, house.now) == []
        else:
            break
    assert number == 5, "every write of a login has failed once"
    before = house.counts()
    for number in range(1, 9):
        faulty = Faulty(shared._link, lambda call, number=number: call == number, heard=heard)  # type: ignore[misc]
        try:
            await RedisMiniSessions(faulty, "bjidp:mini:", house.sql.accounts, house.sql.audit).open(
                house.mini_session(link), newest=5
            )
        except StoreUnavailable:
            assert house.counts() == before
            assert not await house.mini_sessions.live_of_link(link.id, house.now)
        else:
            break
    assert number == 4, "every write of a login has failed once"


@pytest.mark.attack("T1")
@pytest.mark.parametrize("heard", [False, True], ids=["call lost", "answer lost"])
async def test_of_a_renewal_that_fails_halfway_one_cookie_counts(
    house: House, shared: RedisStores, *, heard: bool
) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("0"), None)
    for number in range(1, 9):
        faulty = Faulty(shared._link, lambda call, number=number: call == number, heard=heard)  # type: ignore[misc]
        sessions = RedisSessions(faulty, "bjidp:session:", house.sql.accounts, house.sql.audit, house.sql.grants)
        old, new = cookie(f"{number - 1}"), cookie(f"{number}")
        failed = False
        try:
            assert await sessions.rekey(session, old, new, house.now)
        except StoreUnavailable:
            failed = True
        count = [await house.sessions.find(key, house.now) is not None for key in (old, new)]
        assert sum(count) == 1, "never both, and never neither"
        assert failed or count == [False, True]
        if not failed and number > 4:
            break
        if count[0]:
            assert await house.sessions.rekey(session, old, new, house.now)
    assert number == 5, "every write of a renewal has failed once"


async def test_a_row_of_a_former_release_is_renewed_by_the_cookie_that_leads_to_it(
    house: House, server: RedisServer
) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("a"), None)
    with Redis.from_url(server.url()) as redis:
        former = b"1 %d " % session.expires_at + msgspec.msgpack.encode(session)
        redis.hset(f"bjidp:session:of:{{{standing.account}}}", session.id, former)
    assert await house.sessions.find(cookie("a"), house.now) == (session, standing)
    assert await house.sessions.rekey(session, cookie("a"), cookie("b"), house.now)
    assert await house.sessions.find(cookie("a"), house.now) is None
    assert await house.sessions.find(cookie("b"), house.now) is not None


@pytest.mark.parametrize("heard", [False, True], ids=["calls lost", "answers lost"])
async def test_what_a_store_that_went_away_during_a_login_keeps_can_be_ended(
    house: House, shared: RedisStores, *, heard: bool
) -> None:
    """Nobody has the cookie to it; but a device in the list that nothing removes is one too many."""
    link, standing = await house.someone()
    for number in range(1, 5):
        faulty = Faulty(shared._link, lambda call, number=number: call >= number, heard=heard)  # type: ignore[misc]
        with pytest.raises(StoreUnavailable):
            await RedisSessions(faulty, "bjidp:session:", house.sql.accounts, house.sql.audit, house.sql.grants).open(
                house.session(standing.account), cookie("a"), None
            )
        for session in await house.sessions.of_account(standing.account, house.now):
            assert await house.sessions.end(session.id, SessionEnd.LOGOUT, house.now)
        assert await house.sessions.of_account(standing.account, house.now) == []
        lost = house.mini_session(link)
        with pytest.raises(StoreUnavailable):
            await RedisMiniSessions(faulty, "bjidp:mini:", house.sql.accounts, house.sql.audit).open(lost)
        live = await house.mini_sessions.live_of_link(link.id, house.now)
        assert await house.mini_sessions.end(lost.id, MiniSessionEnd.LOGOUT, house.now) is live


async def test_a_login_goes_on_when_the_oldest_of_its_link_cannot_be_ended_and_the_next_one_ends_it(
    house: House, shared: RedisStores
) -> None:
    link, _ = await house.someone()
    oldest = house.mini_session(link)
    await house.mini_sessions.open(oldest, newest=1)
    house.clock.advance(1)
    late = Faulty(shared._link, lambda call: call > 4, heard=False)
    await RedisMiniSessions(late, "bjidp:mini:", house.sql.accounts, house.sql.audit).open(
        house.mini_session(link), newest=1
    )
    assert await house.mini_sessions.find(oldest.id, house.now) is not None
    await house.mini_sessions.open(house.mini_session(link), newest=1)
    assert await house.mini_sessions.find(oldest.id, house.now) is None


class Away:
    """An audit log, and a database of accounts, that cannot be reached."""

    def __init__(self, accounts: SqlAccounts) -> None:
        self._accounts = accounts

    def __getattr__(self, name: str) -> object:
        return getattr(self._accounts, name)

    async def standing(self, account: str) -> Standing | None:
        raise StoreUnavailable

    async def append(self, event: AuditEvent) -> None:
        raise StoreUnavailable


@pytest.mark.req("OPS-8")
async def test_an_end_that_cannot_be_audited_is_an_end_and_a_line_in_the_log(house: House, shared: RedisStores) -> None:
    link, standing = await house.someone()
    session, mini = house.session(standing.account), house.mini_session(link)
    await house.sessions.open(session, cookie("a"), None)
    await house.mini_sessions.open(mini)
    away = Away(house.sql.accounts)
    with structlog.testing.capture_logs() as logged:
        sessions = shared.sessions(house.sql.accounts, away, house.sql.grants)
        assert await sessions.end(session.id, SessionEnd.LOGOUT, house.now)
        assert await shared.mini_sessions(cast("Gate", away), away).end(mini.id, MiniSessionEnd.LOGOUT, house.now)
    assert await house.sessions.find(cookie("a"), house.now) is None
    assert await house.mini_sessions.find(mini.id, house.now) is None
    ticket = base64url(TICKET)
    expected = {"event": "audit_event_not_stored", "log_level": "error", "reason": "logout"}
    assert logged == [
        {**expected, "kind": "session.ended", "account": standing.ref, "session": session.id, "ticket": ticket},
        {**expected, "kind": "mini_session.ended", "account": None, "session": mini.id, "ticket": None},
    ]


@pytest.mark.attack("Q21")
async def test_a_lock_that_comes_during_a_login_finds_the_session_to_end(house: House, shared: RedisStores) -> None:
    """Otherwise the session would wake up when the account is unlocked."""
    _, standing = await house.someone()
    found: list[str] = []

    async def administration() -> None:
        house.set_status(standing.account, "locked")
        found.extend(session.id for session in await house.sessions.of_account(standing.account, house.now))

    session = house.session(standing.account)
    gate = Interrupted(house.sql.accounts, administration)
    with pytest.raises(AccountRefused):
        await shared.sessions(gate, house.sql.audit, house.sql.grants).open(session, cookie("a"), None)
    assert found == [session.id]


@pytest.mark.attack("P7", "R4")
async def test_a_login_that_meets_the_end_of_all_sessions_leaves_none(house: House, shared: RedisStores) -> None:
    _, standing = await house.someone()
    ended: list[str] = []

    async def meanwhile() -> None:
        ended.extend(await house.sessions.end_others(standing.account, None, SessionEnd.PASSWORD_CHANGED, house.now))

    session = house.session(standing.account)
    gate = Interrupted(house.sql.accounts, meanwhile)
    with pytest.raises(ConfirmationOver):
        await shared.sessions(gate, house.sql.audit, house.sql.grants).open(session, cookie("a"), None, standing.epoch)
    assert ended == [session.id]
    assert await house.sessions.find(cookie("a"), house.now) is None


@pytest.mark.attack("P7", "R4")
async def test_a_login_that_is_admitted_before_the_end_of_its_epoch_ends_with_the_others(
    house: House, shared: RedisStores
) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account)

    async def meanwhile() -> None:
        await house.sessions.open(session, cookie("a"), None, standing.epoch)

    gate = Interrupted(house.sql.accounts, meanwhile)
    sessions = shared.sessions(gate, house.sql.audit, house.sql.grants)
    ended = await sessions.end_others(standing.account, None, SessionEnd.PASSWORD_CHANGED, house.now)
    assert ended == [session.id]


class Undated(Away):
    """A database of accounts that goes away before anybody's epoch ends."""

    async def outdate(self, account: str) -> None:
        raise StoreUnavailable


@pytest.mark.attack("P7")
async def test_a_phone_whose_epoch_cannot_be_ended_is_ended_by_the_next_call_with_its_epoch(
    house: House, shared: RedisStores
) -> None:
    """One that was gone by then would be found by nobody, and what it has confirmed would count."""
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    away = cast("Gate", Undated(house.sql.accounts))
    with pytest.raises(StoreUnavailable):
        await shared.mini_sessions(away, house.sql.audit).end(session.id, MiniSessionEnd.CHOSEN, house.now)
    assert await house.mini_sessions.end(session.id, MiniSessionEnd.CHOSEN, house.now)
    now = await house.accounts.standing(standing.account)
    assert now is not None
    assert now.epoch > standing.epoch


@pytest.mark.attack("P7")
async def test_a_phone_that_is_ended_while_it_is_found_is_told_no_epoch_that_began_with_its_end(
    house: House, shared: RedisStores
) -> None:
    """What it confirms next would count in that one."""
    link, _ = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)

    async def meanwhile() -> None:
        assert await house.mini_sessions.end(session.id, MiniSessionEnd.CHOSEN, house.now)

    gate = Interrupted(house.sql.accounts, meanwhile)
    assert await shared.mini_sessions(gate, house.sql.audit).find(session.id, house.now) is None


@pytest.mark.attack("Q6")
async def test_a_save_changes_nothing_but_data_and_use(house: House) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("a"), None)
    greedy = msgspec.structs.replace(session, expires_at=session.expires_at + HOUR, csrf="mine", created_at=0)
    saved = await house.sessions.save(msgspec.structs.replace(greedy, data={"k": "v"}))
    assert saved == msgspec.structs.replace(session, data={"k": "v"}, version=2)


async def test_a_phone_whose_link_was_replaced_is_logged_out(house: House) -> None:
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    await house.accounts.relink(standing.account, applicant(user=identity("oNew")), probation_until=None, now=house.now)
    assert await house.mini_sessions.find(session.id, house.now) is None


@pytest.mark.req("PRV-4")
async def test_every_key_of_a_session_dies_by_itself(house: House, server: RedisServer) -> None:
    link, standing = await house.someone()
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("a"), None)
    await house.sessions.save(session)
    await house.sessions.rekey(session, cookie("a"), cookie("b"), house.now)
    mini = house.mini_session(link)
    await house.mini_sessions.open(mini)
    await house.mini_sessions.replace(msgspec.structs.replace(mini, generation=2))
    with Redis.from_url(server.url(), decode_responses=True) as redis:
        ttls = {key: int(redis.pttl(key)) for key in redis.scan_iter()}
    assert len(ttls) == 7  # two rows, three pointers, two lists of what falls due
    for key, ttl in ttls.items():
        assert HOUR < ttl <= (2 if key.endswith("due") else 1) * HOUR + GRACE


@pytest.mark.req("PRV-4")
async def test_what_falls_due_late_stays_on_the_list_when_something_shorter_comes(
    house: House, server: RedisServer
) -> None:
    _, standing = await house.someone()
    long = house.session(standing.account)
    await house.sessions.open(msgspec.structs.replace(long, expires_at=house.now + 30 * DAY), cookie("long"), None)
    short = msgspec.structs.replace(house.session(standing.account), expires_at=house.now + SECOND)
    await house.sessions.open(short, cookie("short"), None)
    with Redis.from_url(server.url()) as redis:
        assert int(redis.pttl("bjidp:session:due")) > 30 * DAY


@pytest.mark.attack("Q10")
async def test_no_cookie_and_no_person_is_in_a_key(house: House, server: RedisServer) -> None:
    link, standing = await house.someone()
    await house.sessions.open(house.session(standing.account), cookie("a"), None)
    await house.mini_sessions.open(house.mini_session(link))
    with Redis.from_url(server.url(), decode_responses=True) as redis:
        keys = " ".join(redis.scan_iter())
    assert hashlib.sha256(b"a").hexdigest() in keys, "a cookie is found by its hash"
    for personal in ("oZhang", "张", "110101199003074530"):
        assert personal not in keys


@pytest.mark.attack("O5")
async def test_every_call_without_redis_is_refused(house: House, server: RedisServer) -> None:
    link, standing = await house.someone()
    session, mini = house.session(standing.account), house.mini_session(link)
    server.stop()
    calls: list[Awaitable[object]] = [
        house.sessions.open(session, cookie("a"), None),
        house.sessions.find(cookie("a"), house.now),
        house.sessions.save(session),
        house.sessions.rekey(session, cookie("a"), cookie("b"), house.now),
        house.sessions.end(session.id, SessionEnd.LOGOUT, house.now),
        house.sessions.end_by_ticket(standing.account, [b"t"], SessionEnd.UNDO, house.now),
        house.sessions.end_others(standing.account, None, SessionEnd.CHOSEN, house.now),
        house.sessions.of_account(standing.account, house.now),
        house.sessions.purge(house.now, 9),
        house.mini_sessions.open(mini),
        house.mini_sessions.find(mini.id, house.now),
        house.mini_sessions.replace(mini),
        house.mini_sessions.end(mini.id, MiniSessionEnd.LOGOUT, house.now),
        house.mini_sessions.end_others(standing.account, None, MiniSessionEnd.CHOSEN, house.now),
        house.mini_sessions.of_account(standing.account, house.now),
        house.mini_sessions.live_of_link(link.id, house.now),
        house.mini_sessions.purge(house.now, 9),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable):
            await call
    assert ("login.browser", standing.ref, session.id) not in house.audit()
