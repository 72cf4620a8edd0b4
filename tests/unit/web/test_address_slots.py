"""How much an address may hold open at a time."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from bjidp.throttle.source import Source
from bjidp.web.http.address_slots import AddressSlots

HERE, THERE = Source("here"), Source("there")


def taken(stack: ExitStack, slots: AddressSlots, source: Source, times: int) -> int:
    """Return how many of so many slots there were."""
    return sum(stack.enter_context(slots.held(source)) for _ in range(times))


@pytest.mark.attack("W9")
def test_an_address_holds_its_limit_and_no_more() -> None:
    slots = AddressSlots(2)
    with ExitStack() as stack:
        assert taken(stack, slots, HERE, 5) == 2
        assert taken(stack, slots, THERE, 5) == 2
    with ExitStack() as stack:
        assert taken(stack, slots, HERE, 5) == 2


def test_a_shared_address_holds_ten_times_as_much_and_a_lifted_limit_is_none() -> None:
    slots = AddressSlots(2)
    with ExitStack() as stack:
        assert taken(stack, slots, Source("crowd", shared=True), 25) == 20
        assert taken(stack, slots, Source(None), 25) == 25


def test_a_slot_is_given_back_by_whoever_had_one_however_they_end() -> None:
    slots = AddressSlots(1)

    def fail_inside() -> None:
        with slots.held(HERE) as free:
            assert free
            for _ in range(2):
                # Who got none has none to give back.
                with slots.held(HERE) as second:
                    assert not second
            raise ConnectionError

    for _ in range(2):
        with pytest.raises(ConnectionError):
            fail_inside()
