"""Handing accounts on: nothing is lost and nobody is handed on twice, whoever is silent or dead (REG-1)."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from bjidp.accounts.member_ports import NewMember
from bjidp.accounts.national.handing_on import HandingOn
from bjidp.accounts.national.ports import WishStore
from bjidp.accounts.national.wish import WishEnd
from bjidp.accounts.ports import Evidence
from bjidp.clock import Instant, ManualClock
from bjidp.entropy import SystemEntropy
from bjidp.errors import StoreUnavailable, VendorUnavailable
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import NewIdentity
from bjidp.storage.sql.catalog import SqlStores, open_sql
from bjidp.storage.sql.national_wishes import SqlWaitingWishes
from bjidp.vendors.ports.registers import NationalAnswer
from tests.contracts.house import keyring

pytestmark = pytest.mark.req("REG-1")

PHONES = ("13800138000", "13800138001", "13800138002")


class Platform:
    """Remembers whom it made a user by which reference; may be silent before that or after it."""

    def __init__(self) -> None:
        self.users: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.fails: str | None = None
        self.refuses: set[str] = set()

    async def register(self, person: Person, phone: str, *, reference: str) -> NationalAnswer:
        self.asked[phone] += 1
        if self.fails == "before":
            raise VendorUnavailable
        if phone in self.refuses:
            return NationalAnswer.REFUSED
        if reference not in self.users:
            assert phone not in self.users.values()
            self.users[reference] = phone
        if self.fails == "after":
            raise VendorUnavailable
        return NationalAnswer.JOINED


class Dying:
    """A store whose caller dies with the next settlement, before it is written."""

    def __init__(self, store: WishStore) -> None:
        self.take_on = store.take_on
        self.forget = store.forget

    async def settle(self, reference: str, end: WishEnd, now: Instant) -> None:
        raise asyncio.CancelledError


class World:
    """A database with three accounts whose identity is proved and whose wish is due, and a platform."""

    def __init__(self, stores: SqlStores, clock: ManualClock) -> None:
        self.stores, self.clock, self.platform = stores, clock, Platform()
        self.service = self.process(stores.wishes)

    def process(self, wishes: WishStore) -> HandingOn:
        return HandingOn(wishes=wishes, platform=self.platform, clock=self.clock)

    async def register(self) -> None:
        for place, phone in enumerate(PHONES):
            new = NewMember(username=None, phone=phone, password=None, national=True)
            account = (await self.stores.members.enrol(new, self.clock.now())).account
            proved = NewIdentity(
                person=Person(DocumentType.RESIDENT_ID, "张三", f"11010119900307453{place}"),
                evidence=Evidence.NAME_AND_NUMBER,
                evidence_reference="E",
                authority_reference="A",
            )
            await self.stores.identities.prove(account, proved, self.clock.now(), was=None)
            self.clock.advance(1)

    @property
    async def left(self) -> int:
        return len(await SqlWaitingWishes(self.stores.engine).waiting(10))


@pytest.fixture
async def world(empty_database: Path, tmp_path: Path, clock: ManualClock) -> AsyncIterator[World]:
    file = shutil.copy(empty_database, tmp_path / "bjidp.db")
    stores = open_sql(f"sqlite:///{file}", keyring(), SystemEntropy(), clock)
    world = World(stores, clock)
    await world.register()
    yield world
    await stores.close()


async def test_all_who_are_due_are_handed_on_at_one_look(world: World) -> None:
    await world.service.once()
    assert (world.platform.asked, await world.left) == (Counter(dict.fromkeys(PHONES, 1)), 0)
    await world.service.once()
    assert sum(world.platform.asked.values()) == 3


@pytest.mark.parametrize("fails", ["before", "after"])
async def test_a_platform_that_does_not_answer_is_asked_once_a_look_and_makes_nobody_twice(
    world: World, fails: str
) -> None:
    world.platform.fails = fails
    with structlog.testing.capture_logs() as logged:
        for look in range(1, 4):
            await world.service.once()
            assert sum(world.platform.asked.values()) == look
        await world.service.once()
    assert [entry["event"] for entry in logged] == ["national_put_off"] * 3
    assert not [phone for phone in PHONES if phone in str(logged)]
    assert await world.left == 3
    world.platform.fails = None
    world.clock.advance(60)
    await world.service.once()
    assert (sorted(world.platform.users.values()), await world.left) == (sorted(PHONES), 0)


async def test_a_process_that_dies_before_it_writes_the_answer_down_leaves_it_to_another(world: World) -> None:
    with pytest.raises(asyncio.CancelledError):
        await world.process(Dying(world.stores.wishes)).once()
    await world.service.once()
    assert (world.platform.asked[PHONES[0]], await world.left) == (1, 1)
    world.clock.advance(60)
    await world.service.once()
    assert (world.platform.asked[PHONES[0]], await world.left) == (2, 0)
    assert sorted(world.platform.users.values()) == sorted(PHONES)


async def test_a_refusal_ends_the_wish_and_no_others(world: World) -> None:
    world.platform.refuses.add(PHONES[1])
    await world.service.once()
    assert (sorted(world.platform.users.values()), await world.left) == ([PHONES[0], PHONES[2]], 0)


async def test_processes_that_look_at_once_share_the_work(world: World) -> None:
    await asyncio.gather(*(world.process(world.stores.wishes).once() for _ in range(8)))
    assert (world.platform.asked, await world.left) == (Counter(dict.fromkeys(PHONES, 1)), 0)


async def test_a_store_that_is_down_is_asked_again_later(world: World) -> None:
    class Down(Dying):
        async def settle(self, reference: str, end: WishEnd, now: Instant) -> None:
            raise StoreUnavailable

    with structlog.testing.capture_logs() as logged:
        await world.process(Down(world.stores.wishes)).once()
    assert [entry["event"] for entry in logged] == ["national_store_silent"]
    assert await world.left == 3


async def test_a_fault_is_told_by_its_kind_and_place_alone_and_stops_nothing(world: World) -> None:
    class Broken(Dying):
        async def settle(self, reference: str, end: WishEnd, now: Instant) -> None:
            raise RuntimeError(PHONES[0])

    with structlog.testing.capture_logs() as logged:
        await world.process(Broken(world.stores.wishes)).once()
    [line] = logged
    assert (line["event"], line["kind"]) == ("national_failed", "RuntimeError")
    assert line["places"][-1].endswith(" settle")
    assert PHONES[0] not in str(line)
    await world.service.once()
    assert await world.left == 1
