"""Abandoned logins leave nothing behind in a process's memory (PRV-4)."""

from __future__ import annotations

import pytest

from bjidp.clock import MINUTE, ManualClock
from bjidp.storage.memory.expiry import Expiry
from bjidp.storage.memory.records import MemoryRecords
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.storage.memory.tickets import MemoryTicketStore
from bjidp.throttle.ports import per_minute
from tests.support.qr import a_flow, a_ticket, ticket_id

ROUNDS = 1000
LIVE = 60
"""One arrives each second and lives for a minute."""


@pytest.mark.attack("Q23")
async def test_abandoned_flows_do_not_pile_up_and_live_ones_are_spared(clock: ManualClock) -> None:
    store = MemoryTicketStore(clock)
    for turn in range(ROUNDS):
        await store.add(a_flow(a_ticket(str(turn), clock.now()), f"flow-{turn}"), MINUTE)
        assert len(store) <= LIVE + 1
        clock.advance(1)
    for turn in range(ROUNDS):
        alive = turn > ROUNDS - LIVE
        assert (await store.read(f"flow-{turn}") is not None) is alive
        assert (await store.find(ticket_id(str(turn))) is not None) is alive


async def test_abandoned_records_do_not_pile_up_and_live_ones_are_spared(clock: ManualClock) -> None:
    store = MemoryRecords[str](clock)
    for turn in range(ROUNDS):
        await store.add(str(turn), "note", MINUTE)
        assert len(store) <= LIVE + 1
        clock.advance(1)
    found = [turn for turn in range(ROUNDS) if await store.get(str(turn)) is not None]
    assert found == list(range(ROUNDS - LIVE + 1, ROUNDS))


async def test_taken_records_leave_at_once(clock: ManualClock) -> None:
    store = MemoryRecords[str](clock)
    for turn in range(100):
        await store.add(str(turn), "note", MINUTE)
        await store.take(str(turn))
    assert len(store) == 0


async def test_counters_of_quiet_keys_do_not_pile_up(clock: ManualClock) -> None:
    throttle = MemoryThrottle(clock)
    for turn in range(ROUNDS):
        await throttle.hit(str(turn), per_minute(10))
        assert len(throttle) <= LIVE + 1
        clock.advance(1)


async def test_a_burst_is_cleared_by_the_writes_that_follow(clock: ManualClock) -> None:
    store = MemoryRecords[str](clock)
    for turn in range(80):
        await store.add(str(turn), "note", MINUTE)
    clock.advance(60)
    for turn in range(10):
        before = len(store)
        await store.add(f"later-{turn}", "note", MINUTE)
        # No request pays for more than eight.
        assert before - len(store) == 7
    assert len(store) == 10


def test_a_key_that_is_put_off_is_forgotten_at_its_last_deadline_once() -> None:
    ends = {"a": 30}
    forgotten: list[str] = []

    def forget(key: str) -> None:
        forgotten.append(key)
        del ends[key]

    expiry = Expiry(ends.get, forget)
    expiry.add("a", 10)
    expiry.sweep(20)
    expiry.sweep(29)
    assert forgotten == []
    expiry.sweep(30)
    expiry.sweep(100)
    assert forgotten == ["a"]


def test_a_key_that_went_and_came_back_is_judged_by_its_present_deadline() -> None:
    ends = {"a": 50}
    forgotten: list[str] = []

    def forget(key: str) -> None:
        forgotten.append(key)
        del ends[key]

    expiry = Expiry(ends.get, forget)
    expiry.add("a", 10)
    expiry.add("a", 50)
    expiry.sweep(10)
    assert forgotten == []
    expiry.sweep(50)
    assert forgotten == ["a"]
