"""What every store of short-lived records promises (``bjidp.records``)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from bjidp.clock import MINUTE, SECOND, ManualClock
from bjidp.records import DuplicateRecord, Records, StaleRecord
from tests.contracts.ephemeral import Note, Processes

NOTE = Note("张三的浏览器", -7, bytes(range(256)), None, ("", "一行"))


@pytest.fixture
def records(processes: Processes) -> Records[Note]:
    return processes.here.records("note", Note)


async def _outcome(act: Awaitable[object]) -> object:
    try:
        return await act
    except (DuplicateRecord, StaleRecord) as lost:
        return type(lost)


async def test_a_record_comes_back_as_it_was_kept(records: Records[Note], clock: ManualClock) -> None:
    await records.add("a", NOTE, MINUTE)
    held = await records.get("a")
    assert held is not None
    assert held.value == NOTE
    assert held.now == clock.now()


async def test_what_one_process_keeps_the_other_finds(processes: Processes) -> None:
    await processes.here.records("note", Note).add("a", NOTE, MINUTE)
    held = await processes.there.records("note", Note).get("a")
    assert held is not None
    assert held.value == NOTE


async def test_kinds_do_not_share_keys(processes: Processes) -> None:
    await processes.here.records("note", Note).add("a", NOTE, MINUTE)
    assert await processes.here.records("letter", Note).get("a") is None


async def test_an_absent_record_is_none(records: Records[Note]) -> None:
    assert await records.get("a") is None
    assert await records.take("a") is None


async def test_a_live_key_is_refused_a_second_time_and_keeps_its_value(records: Records[Note]) -> None:
    await records.add("a", NOTE, MINUTE)
    with pytest.raises(DuplicateRecord):
        await records.add("a", Note("another"), MINUTE)
    held = await records.get("a")
    assert held is not None
    assert held.value == NOTE


async def test_a_key_is_free_again_once_its_record_is_over(records: Records[Note], clock: ManualClock) -> None:
    await records.add("a", NOTE, MINUTE)
    clock.advance(60)
    await records.add("a", Note("another"), MINUTE)
    held = await records.get("a")
    assert held is not None
    assert held.value == Note("another")


@pytest.mark.attack("Q15")
async def test_a_record_lives_until_its_deadline_and_not_at_it(records: Records[Note], clock: ManualClock) -> None:
    await records.add("a", NOTE, MINUTE)
    clock.advance(59.999)
    assert await records.get("a") is not None
    clock.advance(0.001)
    assert await records.get("a") is None
    assert await records.take("a") is None
    with pytest.raises(StaleRecord):
        await records.replace("a", NOTE, 1)


async def test_a_replacement_raises_the_version(records: Records[Note]) -> None:
    await records.add("a", NOTE, MINUTE)
    first = await records.get("a")
    assert first is not None
    version = await records.replace("a", Note("new"), first.version)
    second = await records.get("a")
    assert second is not None
    assert second.value == Note("new")
    assert second.version == version > first.version


async def test_a_replacement_keeps_the_deadline_unless_it_is_given_one(
    records: Records[Note], clock: ManualClock
) -> None:
    await records.add("a", NOTE, MINUTE)
    await records.add("b", NOTE, MINUTE)
    for key, lifetime in (("a", None), ("b", 90 * SECOND)):
        held = await records.get(key)
        assert held is not None
        await records.replace(key, NOTE, held.version, lifetime)
    clock.advance(60)
    assert await records.get("a") is None
    assert await records.get("b") is not None
    clock.advance(30)
    assert await records.get("b") is None


@pytest.mark.attack("Q6")
async def test_a_stale_replacement_changes_nothing(records: Records[Note], clock: ManualClock) -> None:
    await records.add("a", NOTE, MINUTE)
    old = await records.get("a")
    assert old is not None
    version = await records.replace("a", Note("new"), old.version)
    with pytest.raises(StaleRecord):
        await records.replace("a", Note("late"), old.version, 10 * MINUTE)
    held = await records.get("a")
    assert held is not None
    assert (held.value, held.version) == (Note("new"), version)
    clock.advance(60)
    assert await records.get("a") is None


async def test_nothing_is_replaced_where_nothing_is(records: Records[Note]) -> None:
    with pytest.raises(StaleRecord):
        await records.replace("a", NOTE, 1)
    assert await records.get("a") is None


@pytest.mark.attack("Q6")
async def test_what_was_decided_on_a_former_record_does_not_fit_a_new_one(records: Records[Note]) -> None:
    await records.add("a", NOTE, MINUTE)
    former = await records.get("a")
    assert former is not None
    await records.take("a")
    await records.add("a", Note("another"), MINUTE)
    with pytest.raises(StaleRecord):
        await records.replace("a", Note("late"), former.version)


@pytest.mark.attack("Q4")
async def test_of_sixteen_who_take_one_gets_it(processes: Processes) -> None:
    await processes.here.records("note", Note).add("a", NOTE, MINUTE)
    taken = await asyncio.gather(*(place.records("note", Note).take("a") for place in processes.both(16)))
    assert sorted(taken, key=lambda note: note is None) == [NOTE] + [None] * 15


@pytest.mark.attack("Q4")
async def test_of_sixteen_who_replace_one_wins(processes: Processes) -> None:
    await processes.here.records("note", Note).add("a", NOTE, MINUTE)
    held = await processes.here.records("note", Note).get("a")
    assert held is not None
    version = held.version
    outcomes = await asyncio.gather(
        *(
            _outcome(place.records("note", Note).replace("a", Note(str(turn)), version))
            for turn, place in enumerate(processes.both(16))
        )
    )
    assert outcomes.count(StaleRecord) == 15
    winner = next(turn for turn, outcome in enumerate(outcomes) if outcome is not StaleRecord)
    after = await processes.there.records("note", Note).get("a")
    assert after is not None
    assert (after.value, after.version) == (Note(str(winner)), outcomes[winner])


async def test_of_sixteen_who_add_one_wins(processes: Processes) -> None:
    outcomes = await asyncio.gather(
        *(
            _outcome(place.records("note", Note).add("a", Note(str(turn)), MINUTE))
            for turn, place in enumerate(processes.both(16))
        )
    )
    assert outcomes.count(DuplicateRecord) == 15
    held = await processes.here.records("note", Note).get("a")
    assert held is not None
    assert held.value == Note(str(outcomes.index(None)))


async def test_taking_and_replacing_leave_one_outcome(processes: Processes) -> None:
    """Either the replacement came first and was taken, or it found nothing: it never brings a taken record back."""
    store, other = (place.records("note", Note) for place in (processes.here, processes.there))
    for turn in range(20):
        key = str(turn)
        await store.add(key, NOTE, MINUTE)
        held = await store.get(key)
        assert held is not None
        replacing = _outcome(store.replace(key, Note("new"), held.version))
        taking = other.take(key)
        pair = (replacing, taking) if turn % 2 else (taking, replacing)
        outcomes = await asyncio.gather(*pair)
        replaced, taken = outcomes if turn % 2 else outcomes[::-1]
        assert taken == (NOTE if replaced is StaleRecord else Note("new"))
        assert await store.get(key) is None
