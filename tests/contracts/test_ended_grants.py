"""Grants end with the session they came of, wherever that lies and however it ends, on every backend (attack T3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from msgspec.structs import replace
from sqlalchemy import NullPool, create_engine, text

from bjidp.clock import HOUR, MINUTE, Instant
from bjidp.entropy import SystemEntropy, token
from bjidp.errors import StoreUnavailable
from bjidp.oidc.errors import InvalidGrant
from bjidp.oidc.grants import refreshing
from bjidp.oidc.grants.code import Approval, Code
from bjidp.oidc.grants.exchanging import Codes
from bjidp.oidc.grants.grant import Grant
from bjidp.oidc.grants.living import LiveGrants
from bjidp.oidc.pkce import challenge_of
from bjidp.sessions.ports import SessionEnd
from bjidp.storage.redis.catalog import open_redis
from bjidp.storage.sql import grants
from tests.contracts.ephemeral import MemoryStores
from tests.contracts.house import TICKET, House, cookie
from tests.contracts.test_relying_parties import CALLBACK, PORTAL, SECTOR, VERIFIER, approval, registered

pytestmark = [pytest.mark.req("RP-1"), pytest.mark.attack("T3")]

TRUST = [reason for reason in SessionEnd if not reason.is_departure]


class Site:
    """A relying party that somebody logged in to from one session, once for now and once for when they are away."""

    def __init__(self, house: House, agreed: Approval, online: Grant, away: Grant) -> None:
        self.house = house
        self.agreed = agreed
        self.online = online
        self.away = away

    async def left(self) -> list[bool]:
        """Tell of which grant there is a row: that for now, that for later."""
        found = self.house.rows("SELECT id FROM oidc_grant")
        return [(grant.id,) in found for grant in (self.online, self.away)]


async def visited(house: House) -> Site:
    await registered(house)
    agreed = await approval(house)
    online = Grant(
        id=token(house.entropy, 128),
        approval=agreed,
        subject=token(house.entropy, 128),
        family=None,
        created_at=house.now,
        expires_at=house.now + HOUR,
    )
    away = replace(online, id=token(house.entropy, 128), family=refreshing.begun(house.now))
    for grant in (online, away):
        await house.sql.grants.begin(grant, SECTOR, house.now)
    return Site(house, agreed, online, away)


async def test_a_departure_ends_what_does_not_outlast_it(session_house: House) -> None:
    site = await visited(session_house)
    assert await site.left() == [True, True]
    assert await session_house.sessions.end(site.agreed.session, SessionEnd.LOGOUT, session_house.now)
    assert await site.left() == [False, True]


@pytest.mark.req("SES-1")
@pytest.mark.attack("R4")
async def test_a_session_that_its_owner_ends_from_another_device_leaves_nothing(session_house: House) -> None:
    """Who finds one in the list that they do not know ends it there: whoever it was keeps nothing for later."""
    site = await visited(session_house)
    assert await session_house.sessions.end(site.agreed.session, SessionEnd.CHOSEN, session_house.now)
    assert await site.left() == [False, False]


@pytest.mark.parametrize("reason", TRUST)
async def test_any_other_end_is_the_end_of_all(session_house: House, reason: SessionEnd) -> None:
    site = await visited(session_house)
    await session_house.sessions.end_others(site.agreed.account, None, reason, session_house.now)
    assert await site.left() == [False, False]


async def test_a_login_in_its_place_ends_them(session_house: House) -> None:
    site = await visited(session_house)
    old = cookie("old")
    before = session_house.session(site.agreed.account)
    await session_house.sessions.open(before, old, None)
    grant = replace(site.online, id=token(session_house.entropy, 128), approval=replace(site.agreed, session=before.id))
    await session_house.sql.grants.begin(grant, SECTOR, session_house.now)
    await session_house.sessions.open(session_house.session(site.agreed.account), cookie("new"), old)
    assert session_house.rows("SELECT count(*) FROM oidc_grant WHERE session = :old", old=before.id) == [(0,)]
    assert await site.left() == [True, True]


@pytest.mark.attack("P7")
async def test_a_login_that_its_phone_takes_back_leaves_nothing(session_house: House) -> None:
    site = await visited(session_house)
    await session_house.sessions.end_by_ticket(site.agreed.account, [TICKET], SessionEnd.UNDO, session_house.now)
    assert await site.left() == [False, False]


async def test_what_ends_all_others_keeps_the_grants_of_the_one_that_stays(session_house: House) -> None:
    site = await visited(session_house)
    await session_house.sessions.end_others(
        site.agreed.account, site.agreed.session, SessionEnd.PASSWORD_CHANGED, session_house.now
    )
    assert await site.left() == [True, True]


async def test_a_new_password_ends_what_outlasted_an_earlier_session(session_house: House) -> None:
    site = await visited(session_house)
    await session_house.sessions.end(site.agreed.session, SessionEnd.LOGOUT, session_house.now)
    here = session_house.session(site.agreed.account)
    await session_house.sessions.open(here, cookie("here"), None)
    await session_house.sessions.end_others(
        site.agreed.account, here.id, SessionEnd.PASSWORD_CHANGED, session_house.now
    )
    assert await site.left() == [False, False]


async def test_a_fence_ends_them_and_clears_them_away(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "LOOKED_AT", 1)
    site = await visited(house)
    assert await house.sql.grants.end_fenced(house.now, 10) == 0
    house.rows("UPDATE account SET fence = epoch + 1, epoch = epoch + 1, kept = :kept", kept=site.agreed.session)
    assert await house.sql.grants.end_fenced(house.now, 10) == 0
    house.rows("UPDATE account SET kept = NULL")
    assert [await house.sql.grants.end_fenced(house.now, 1) for _ in range(3)] == [1, 1, 0]
    assert await site.left() == [False, False]


async def test_however_many_a_fence_ends_each_grant_is_looked_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "LOOKED_AT", 1)
    site = await visited(house)
    for number in range(4):
        kept = replace(site.online, id=f"{number:022}", approval=replace(site.agreed, session="kept"))
        await house.sql.grants.begin(kept, SECTOR, house.now)
    house.rows("UPDATE account SET fence = epoch + 1, epoch = epoch + 1, kept = 'kept'")
    engine, looks = house.sql.grants._engine, list[object]()
    monkeypatch.setattr(engine, "all", partial(_counted, engine.all, looks))
    while await house.sql.grants.end_fenced(house.now, 1):
        pass
    assert await site.left() == [False, False]
    assert len(looks) == 7, "six grants, and the end"


async def _counted(look: Callable[..., Awaitable[object]], looks: list[object], *given: object) -> object:
    looks.append(given)
    return await look(*given)


async def test_a_session_lives_until_it_ends_or_its_time_is_over(session_house: House) -> None:
    account = (await session_house.member()).account
    session = session_house.session(account)
    sessions = session_house.sessions
    await sessions.open(session, cookie("a"), None)
    for settled in (False, True):
        assert await sessions.lives(account, session.id, session_house.now, settled=settled)
        assert not await sessions.lives(account, session.id, session.expires_at, settled=settled)
        assert not await sessions.lives("another", session.id, session_house.now, settled=settled)
    await sessions.end(session.id, SessionEnd.LOGOUT, session_house.now)
    assert not await sessions.lives(account, session.id, session_house.now, settled=True)


async def test_a_grant_is_worth_nothing_without_its_session_whoever_failed_to_end_it(session_house: House) -> None:
    site = await visited(session_house)
    live = LiveGrants(session_house.sql.grants, session_house.sessions)
    gone = replace(site.online, id=token(session_house.entropy, 128), approval=replace(site.agreed, session="gone"))
    await session_house.sql.grants.begin(gone, SECTOR, session_house.now)
    for look in (live.find, live.owned):
        assert await look(site.online.id, session_house.now) is not None
        assert await look(gone.id, session_house.now) is None
        assert await look(site.away.id, session_house.now) is not None


def codes_of(house: House) -> Codes:
    return Codes(
        MemoryStores(house.clock).records("oidc.code", Code),
        house.sql.grants,
        house.sessions,
        house.sql.consents,
        entropy=SystemEntropy(),
        clock=house.clock,
        session_lifetime=HOUR,
    )


async def agrees(house: House, agreed: Approval) -> None:
    await house.sql.consents.agree(agreed.account, agreed.client, frozenset(agreed.scopes), house.now)


async def test_a_code_whose_session_has_ended_becomes_no_grant(session_house: House) -> None:
    await registered(session_house)
    agreed = await approval(session_house)
    await agrees(session_house, agreed)
    codes = codes_of(session_house)
    code = await codes.give(agreed, CALLBACK, challenge_of(VERIFIER), session_house.now)
    await session_house.sessions.end(agreed.session, SessionEnd.LOGOUT, session_house.now)
    with pytest.raises(InvalidGrant):
        await codes.exchange(code, PORTAL, CALLBACK, VERIFIER)
    assert session_house.count("oidc_grant") == 0


async def test_of_an_exchange_and_the_end_of_its_session_at_once_no_grant_is_left(session_house: House) -> None:
    await registered(session_house)
    first = await approval(session_house)
    await agrees(session_house, first)
    codes = codes_of(session_house)
    for _ in range(12):
        session = session_house.session(first.account)
        await session_house.sessions.open(session, cookie(session.id), None)
        code = await codes.give(replace(first, session=session.id), CALLBACK, challenge_of(VERIFIER), session_house.now)
        await asyncio.gather(
            codes.exchange(code, PORTAL, CALLBACK, VERIFIER),
            session_house.sessions.end(session.id, SessionEnd.LOGOUT, session_house.now),
            return_exceptions=True,
        )
    assert session_house.count("oidc_grant") == 0


async def test_an_exchange_that_meets_the_end_of_its_session_in_the_making_waits_and_is_refused(
    postgres_house: House,
) -> None:
    """Asked without a lock, the session would be there still, and its end had looked for grants before."""
    house = postgres_house
    await registered(house)
    codes = codes_of(house)
    agreed = await approval(house)
    await agrees(house, agreed)
    code = await codes.give(agreed, CALLBACK, challenge_of(VERIFIER), house.now)
    engine = create_engine(house.url, poolclass=NullPool)
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with engine.connect() as ending:
        ending.execute(text("DELETE FROM browser_session"))
        exchange = asyncio.ensure_future(codes.exchange(code, PORTAL, CALLBACK, VERIFIER))
        async with asyncio.timeout(5):
            while not exchange.done() and not ending.execute(waiting).scalar_one():  # noqa: ASYNC110 - a lock tells nobody
                await asyncio.sleep(0)
        assert not exchange.done()
        ending.commit()
    with pytest.raises(InvalidGrant):
        await exchange
    assert house.count("oidc_grant") == 0


class Dying:
    """A database in which grants cannot be ended for a while."""

    def __init__(self, house: House) -> None:
        self.dead = True
        self._grants = house.sql.grants

    async def end_of_session(self, session: str, now: Instant, *, away: bool = False) -> int:
        if self.dead:
            raise StoreUnavailable
        return await self._grants.end_of_session(session, now, away=away)

    async def end_of_account(self, account: str, keep: str | None, now: Instant) -> int:
        return await self._grants.end_of_account(account, keep, now)


@pytest.mark.parametrize("reason", [SessionEnd.LOGOUT, SessionEnd.NOT_ME])
async def test_what_a_death_after_the_end_of_a_session_left_undone_is_done_later(
    house: House, redis_url: str, reason: SessionEnd
) -> None:
    shared = await open_redis(redis_url, entropy=house.entropy)
    dying = Dying(house)
    house.sessions = shared.sessions(house.sql.accounts, house.sql.audit, dying)
    site = await visited(house)
    assert await house.sessions.end(site.agreed.session, reason, house.now)
    assert await site.left() == [True, True]
    dying.dead = False
    assert await house.sessions.settle(house.now, 10) == 0, "whoever ended it may still be at it"
    house.clock.advance(MINUTE // 1000)
    assert await house.sessions.settle(house.now, 10) == 1
    assert await site.left() == [False, reason.is_departure]
    assert await house.sessions.settle(house.now, 10) == 0
    await shared.close()


async def test_a_death_before_the_end_of_a_session_ends_nothing(house: House, redis_url: str) -> None:
    shared = await open_redis(redis_url, entropy=house.entropy)
    sessions = shared.sessions(house.sql.accounts, house.sql.audit, house.sql.grants)
    house.sessions = sessions
    site = await visited(house)
    await sessions._owed.note(f"{site.agreed.account} {site.agreed.session} over", house.now)
    house.clock.advance(MINUTE // 1000)
    assert await sessions.settle(house.now, 10) == 1
    assert await site.left() == [True, True]
    assert await sessions.settle(house.now, 10) == 0
    await shared.close()
