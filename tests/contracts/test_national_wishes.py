"""Wishes to become a user of the national platform: written with accounts, due with identities, ended once (REG-1)."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from sqlalchemy import NullPool, create_engine, text

from bjidp.accounts.member_ports import IdentifierTaken, NewMember
from bjidp.accounts.national.wish import FIRST_PAUSE, LONGEST_PAUSE, Waiting, Wish, WishEnd
from bjidp.accounts.ports import Evidence
from bjidp.clock import DAY
from bjidp.person import Person
from bjidp.proofing.ports import NewIdentity, mark
from bjidp.standing import Standing
from bjidp.storage.sql.national_wishes import SqlWaitingWishes
from tests.contracts.house import LI, ZHANG, House

pytestmark = pytest.mark.req("REG-1")

PHONE = "13800138000"


async def enrolled(house: House, phone: str = PHONE, *, national: bool = True) -> Standing:
    """Register somebody on a page, with the box ticked."""
    new = NewMember(username=None, phone=phone, password="hash-1", national=national)
    return await house.members.enrol(new, house.now)


async def prove(house: House, account: str, person: Person = ZHANG, was: str | None = None) -> None:
    """Bind an identity, in exchange for the one that there ``was``."""
    new = NewIdentity(
        person=person, evidence=Evidence.NAME_AND_NUMBER, evidence_reference="E-1", authority_reference="A-1"
    )
    await house.sql.identities.prove(account, new, house.now, was=was, exchange=was is not None)


async def joining(house: House) -> tuple[Standing, Wish]:
    """Return an account with an identity, and its wish taken on for the first time."""
    standing = await enrolled(house)
    await prove(house, standing.account)
    wish = await house.sql.wishes.take_on(house.now)
    assert wish is not None
    return standing, wish


async def waiting(house: House) -> list[Waiting]:
    """Return every wish."""
    return list(await SqlWaitingWishes(house.sql.engine).waiting(10))


async def kinds(house: House, standing: Standing) -> list[tuple[str, dict[str, str]]]:
    """Return what the log says of the account's wish, oldest first."""
    events = [event for _, event in await house.members.history(standing.account, 50)]
    return [(event.kind.value, event.words()) for event in reversed(events) if event.kind.value.startswith("national.")]


async def test_a_wish_waits_for_an_identity_and_hands_on_what_the_account_has_then(house: House) -> None:
    standing = await enrolled(house)
    assert await house.sql.wishes.take_on(house.now) is None
    [kept] = await waiting(house)
    assert (kept.wished_at, kept.attempts, kept.due_at) == (house.now, 0, None)
    await house.members.set_phone(standing.account, "13900139000", house.now)
    await prove(house, standing.account)
    wish = await house.sql.wishes.take_on(house.now)
    assert wish == Wish(reference=kept.reference, person=ZHANG, phone="13900139000", attempts=1)
    assert ZHANG.name not in repr(wish)


async def test_nobody_who_did_not_ask_is_handed_on(house: House) -> None:
    standing = await enrolled(house, national=False)
    await prove(house, standing.account)
    assert await house.sql.wishes.take_on(house.now) is None
    assert await kinds(house, standing) == []


async def test_an_account_that_is_not_made_leaves_no_wish(house: House) -> None:
    await enrolled(house, national=False)
    with pytest.raises(IdentifierTaken):
        await enrolled(house)
    assert await waiting(house) == []


async def test_a_wish_that_was_taken_on_is_due_again_later_and_later(house: House) -> None:
    _, first = await joining(house)
    paused = []
    for attempt in range(2, 14):
        [kept] = await waiting(house)
        assert kept.due_at is not None
        paused.append(kept.due_at - house.now)
        house.clock.advance((kept.due_at - house.now - 1) / 1000)
        assert await house.sql.wishes.take_on(house.now) is None
        house.clock.advance(0.001)
        again = await house.sql.wishes.take_on(house.now)
        assert again is not None
        assert (again.reference, again.attempts) == (first.reference, attempt)
    assert paused == [min(FIRST_PAUSE * 2**times, LONGEST_PAUSE) for times in range(12)]


@pytest.mark.parametrize("end", list(WishEnd))
async def test_a_wish_that_has_ended_is_deleted_and_the_log_says_how(house: House, end: WishEnd) -> None:
    standing, wish = await joining(house)
    for _ in range(2):
        await house.sql.wishes.settle(wish.reference, end, house.now)
    assert await waiting(house) == []
    house.clock.advance(DAY / 1000)
    assert await house.sql.wishes.take_on(house.now) is None
    assert await kinds(house, standing) == [
        ("national.wished", {"reference": wish.reference}),
        (f"national.{end.value}", {"reference": wish.reference}),
    ]


@pytest.mark.req("ACC-7")
async def test_a_cancelled_account_takes_its_wish_along(house: House) -> None:
    standing, wish = await joining(house)
    await house.members.cancel(standing.account, house.now)
    assert await waiting(house) == []
    # The platform's answer comes after that.
    await house.sql.wishes.settle(wish.reference, WishEnd.JOINED, house.now)
    house.clock.advance(DAY / 1000)
    assert await house.sql.wishes.take_on(house.now) is None


@pytest.mark.req("RNV-5", "RNV-6")
@pytest.mark.parametrize("how", ["unbound", "exchanged", "lost"])
async def test_a_wish_is_the_first_persons_and_no_others(house: House, how: str) -> None:
    standing = await enrolled(house)
    await prove(house, standing.account)
    if how == "unbound":
        await house.sql.identities.unbind(standing.account, house.now)
        await prove(house, standing.account, LI)
    elif how == "exchanged":
        bound = await house.sql.identities.bound(standing.account)
        assert bound is not None
        await prove(house, standing.account, LI, mark(bound.bound_at, bound.version, bound.newest_reference))
    else:
        other = await house.member("13900139000", "lisisi_9")
        better = NewIdentity(person=ZHANG, evidence=Evidence.FACE, evidence_reference="F-1", authority_reference="A-2")
        await house.sql.identities.prove(other.account, better, house.now, was=None)
        await prove(house, standing.account, LI)
    assert await house.sql.wishes.take_on(house.now) is None
    assert await waiting(house) == []


async def test_an_account_that_may_not_be_used_is_passed_by(house: House) -> None:
    standing = await enrolled(house)
    await prove(house, standing.account)
    other = await enrolled(house, "13900139000")
    house.clock.advance(0.001)
    await prove(house, other.account, LI)
    engine = create_engine(house.url, poolclass=NullPool)
    lock = text("UPDATE account SET status = :status WHERE id = :id")
    with engine.begin() as connection:
        connection.execute(lock, {"status": "locked", "id": standing.account})
    wish = await house.sql.wishes.take_on(house.now)
    assert wish is not None
    assert wish.person == LI
    with engine.begin() as connection:
        connection.execute(lock, {"status": "active", "id": standing.account})
    wish = await house.sql.wishes.take_on(house.now)
    assert wish is not None
    assert wish.person == ZHANG


async def test_of_sixteen_who_ask_at_once_one_takes_a_wish_on(house: House) -> None:
    standing = await enrolled(house)
    await prove(house, standing.account)
    found = await asyncio.gather(*(house.sql.wishes.take_on(house.now) for _ in range(16)))
    assert [wish.attempts for wish in found if wish is not None] == [1]


async def test_several_who_ask_take_on_each_another(house: House) -> None:
    people = {
        f"1380013800{number}": Person(ZHANG.document_type, ZHANG.name, f"11010119900307{number}") for number in range(4)
    }
    for phone, person in people.items():
        standing = await enrolled(house, phone)
        await prove(house, standing.account, person)
    found: Counter[str] = Counter()
    for _ in range(4):
        some = await asyncio.gather(*(house.sql.wishes.take_on(house.now) for _ in range(4)))
        found.update(wish.phone for wish in some if wish is not None)
    assert found == Counter(dict.fromkeys(people, 1))


async def test_a_person_who_cannot_be_read_keeps_nobody_else_waiting(house: House) -> None:
    broken = await enrolled(house)
    await prove(house, broken.account)
    house.clock.advance(0.001)
    whole = await enrolled(house, "13900139000")
    await prove(house, whole.account, LI)
    engine = create_engine(house.url, poolclass=NullPool)
    with engine.begin() as connection:
        spoil = text("UPDATE identity SET name_sealed = number_sealed WHERE account = :id")
        connection.execute(spoil, {"id": broken.account})
    with pytest.raises(Exception, match=r"^identity\.name$"):
        await house.sql.wishes.take_on(house.now)
    wish = await house.sql.wishes.take_on(house.now)
    assert wish is not None
    assert wish.person == LI


@pytest.mark.req("PRV-4")
async def test_what_no_identity_came_to_is_forgotten_and_what_meets_a_silent_platform_is_not(house: House) -> None:
    await enrolled(house, "13900139000")
    _, wish = await joining(house)
    house.clock.advance(30 * DAY / 1000)
    late = await enrolled(house, "13700137000")
    assert await house.sql.wishes.forget(house.now - 1, 500) == 1
    assert await house.sql.wishes.forget(house.now - 1, 500) == 0
    left = await waiting(house)
    assert [one.due_at is None for one in left] == [False, True]
    assert left[0].reference == wish.reference
    await prove(house, late.account, LI)
    assert [(await house.sql.wishes.take_on(house.now)) is not None for _ in range(3)] == [True, True, False]
