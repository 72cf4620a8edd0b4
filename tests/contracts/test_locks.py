"""Accounts that staff lock and unlock, on every backend (OPS-7)."""

from __future__ import annotations

import asyncio
import json

import pytest

from bjidp.accounts.identifiers import of_phone, of_username
from bjidp.accounts.locking import lock
from bjidp.accounts.locking.ports import AccountUnknown, LockStore, StandsAlready, Unsettled
from bjidp.clock import MINUTE, SECOND
from bjidp.errors import AccountRefused
from bjidp.standing import Standing, Status
from tests.contracts.house import House, cookie
from tests.contracts.test_logouts import begun, site
from tests.contracts.test_relying_parties import approval

pytestmark = pytest.mark.req("OPS-7")

PHONE, NAME = "13800138000", "zhangsan1"


@pytest.fixture
def locks(house: House) -> LockStore:
    """The store under test."""
    return house.sql.locks


def staff(house: House, kind: str) -> list[tuple[str | None, str]]:
    """Return whom an event of this kind is about, and who of the staff it was."""
    rows = house.rows("SELECT account_ref, facts FROM audit_event WHERE kind = :kind ORDER BY id", kind=kind)
    return [(ref, json.loads(facts)["staff"]) for ref, facts in rows]


async def settle(house: House, locks: LockStore) -> None:
    """Do what the servers do after a lock."""
    for change in await locks.due(house.now, 10):
        await locks.settled(change, house.now)
        await locks.followed(change)


async def standing(house: House, account: str) -> Standing:
    member = await house.members.member(account)
    assert member is not None
    return member.standing


async def test_an_account_is_found_by_any_of_its_names_and_every_look_is_written_down(
    house: House, locks: LockStore
) -> None:
    somebody = await house.member(PHONE, NAME)
    for name in (of_phone(PHONE), of_username(NAME)):
        found = await locks.find([name], "wang", house.now)
        assert (found.ref, found.status) == (somebody.ref, Status.ACTIVE)
        assert (found.overview.phone, found.overview.username) == ("138****8000", "z***********1")
    with pytest.raises(AccountUnknown):
        await locks.find([of_phone("13900139000")], "li", house.now)
    assert staff(house, "account.looked_up") == [(somebody.ref, "wang")] * 2 + [(None, "li")]


@pytest.mark.attack("P7", "T3")
@pytest.mark.req("RP-1")
async def test_a_lock_puts_everybody_out_and_has_relying_parties_told_in_one_transaction(
    house: House, locks: LockStore
) -> None:
    somebody = await house.member(PHONE, NAME)
    await site(house)
    agreed = await approval(house, somebody=somebody)
    here, away = await begun(house, agreed), await begun(house, agreed, away=True)
    session = house.session(somebody.account)
    await house.sessions.open(session, cookie("a"), None)

    await locks.lock(somebody.ref, "wang", house.now)
    after = await standing(house, somebody.account)
    assert (after.refusal, after.counts(session.id, somebody.epoch)) == ("locked", False)
    for grant in (here, away):
        assert await house.sql.grants.find(grant.id, house.now) is None
    assert house.count("oidc_grant") == 0
    assert house.logouts() == [("portal", here.subject, agreed.session)]
    with pytest.raises(AccountRefused):
        await house.sessions.open(house.session(somebody.account), cookie("b"), None)
    assert staff(house, "account.locked") == [(somebody.ref, "wang")]
    assert house.notices()[-1] == (somebody.account, "account.locked")


@pytest.mark.attack("P7")
async def test_an_unlocked_account_is_logged_in_to_anew_by_everybody(house: House, locks: LockStore) -> None:
    somebody = await house.member(PHONE, NAME)
    session = house.session(somebody.account)
    await house.sessions.open(session, cookie("a"), None)
    await locks.lock(somebody.ref, "wang", house.now)
    with pytest.raises(Unsettled):
        await locks.unlock(somebody.ref, "wang", house.now)
    await settle(house, locks)
    await locks.unlock(somebody.ref, "li", house.now)
    after = await standing(house, somebody.account)
    assert (after.refusal, after.counts(session.id, somebody.epoch)) == (None, False)
    await house.sessions.open(house.session(somebody.account), cookie("b"), None)
    assert staff(house, "account.unlocked") == [(somebody.ref, "li")]
    assert [kind for _, kind in house.notices()] == ["account.locked", "account.unlocked"]
    await settle(house, locks)
    assert house.count("account_lock") == 0, "nothing is left of what is over"


async def test_of_two_who_lock_or_unlock_at_once_one_does(house: House, locks: LockStore) -> None:
    somebody = await house.member(PHONE, NAME)
    results = await asyncio.gather(
        *(locks.lock(somebody.ref, name, house.now) for name in ("wang", "li")), return_exceptions=True
    )
    assert [type(result) for result in results if result is not None] == [StandsAlready]
    await settle(house, locks)
    results = await asyncio.gather(
        *(locks.unlock(somebody.ref, name, house.now) for name in ("wang", "li")), return_exceptions=True
    )
    assert [type(result) for result in results if result is not None] == [StandsAlready]
    assert (len(staff(house, "account.locked")), len(staff(house, "account.unlocked"))) == (1, 1)


async def test_what_is_nobodys_or_over_is_neither_locked_nor_unlocked(house: House, locks: LockStore) -> None:
    somebody = await house.member(PHONE, NAME)
    await locks.lock(somebody.ref, "wang", house.now)
    await settle(house, locks)
    await locks.unlock(somebody.ref, "wang", house.now)
    await house.members.cancel(somebody.account, house.now)
    assert house.count("account_lock") == 0
    for turn in (locks.lock, locks.unlock):
        with pytest.raises(AccountUnknown):
            await turn("nobody", "wang", house.now)
        with pytest.raises(StandsAlready) as stands:
            await turn(somebody.ref, "wang", house.now)
        assert stands.value.status is Status.CANCELLED


async def test_a_change_is_followed_up_by_one_at_a_time_and_again_by_another_if_that_one_dies(
    house: House, locks: LockStore
) -> None:
    somebody = await house.member(PHONE, NAME)
    await locks.lock(somebody.ref, "wang", house.now)
    taken = await asyncio.gather(*(locks.due(house.now, 10) for _ in range(8)))
    [change] = [found for one in taken for found in one]
    assert (change.account, change.status, change.phone, change.settled) == (
        somebody.account,
        Status.LOCKED,
        PHONE,
        False,
    )
    house.clock.advance(lock.AGAIN // SECOND - 1)
    assert await locks.due(house.now, 10) == []
    house.clock.advance(1)
    await locks.settled(change, house.now)
    house.clock.advance(30 * MINUTE // SECOND)
    [again] = await locks.due(house.now, 10)
    assert again.settled

    await locks.unlock(somebody.ref, "wang", house.now)
    await locks.followed(again)
    [newest] = await locks.due(house.now, 10)
    assert newest.status is Status.ACTIVE, "what took its place is not followed up with it"
