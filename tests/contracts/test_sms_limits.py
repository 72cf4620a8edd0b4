"""The limits of SMS under askings at one moment, on every short-lived store, over two processes."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from bjidp.clock import HOUR, ManualClock
from bjidp.errors import RateLimited
from bjidp.throttle.ports import Window
from bjidp.throttle.source import Source
from bjidp.verification.errors import SmsDaily, SmsHourly, SmsOfBrowser
from bjidp.verification.limits import SmsLimits, SmsWindows
from bjidp.verification.tally import NumberLimits
from tests.contracts.ephemeral import Processes
from tests.support.verification import limits, number, outcomes

AT_ONCE = 50
NO_MINUTE = SmsWindows(number=NumberLimits(minute=1000))
"""So that the longer windows alone decide."""


@pytest.fixture
def doors(processes: Processes) -> list[SmsLimits]:
    return [limits(place, NO_MINUTE) for place in processes.both(AT_ONCE)]


def asks(doors: list[SmsLimits], *, owner: bool) -> list[Awaitable[None]]:
    """Ask at every door at one moment for a message to one number, each time from another browser."""
    return [
        door.count(number(), browser=str(turn), source=Source(None), owner=owner) for turn, door in enumerate(doors)
    ]


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O4", "O11")
async def test_of_fifty_askings_at_one_moment_one_message_is_sent(processes: Processes) -> None:
    usual = [limits(place) for place in processes.both(AT_ONCE)]
    assert await outcomes(*asks(usual, owner=True)) == {None: 1, RateLimited: 49}


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O4", "O11")
async def test_of_fifty_askings_within_an_hour_five_messages_are_sent_and_ten_within_a_day(
    doors: list[SmsLimits], clock: ManualClock
) -> None:
    assert await outcomes(*asks(doors, owner=True)) == {None: 5, SmsHourly: 45}
    clock.advance(3599.999)
    assert await outcomes(*asks(doors[:10], owner=True)) == {SmsHourly: 10}
    clock.advance(0.001)
    assert await outcomes(*asks(doors, owner=True)) == {None: 5, SmsDaily: 45}
    clock.advance(20 * 3600)
    assert await outcomes(*asks(doors, owner=True)) == {SmsDaily: 50}
    clock.advance(3 * 3600)
    assert await outcomes(*asks(doors, owner=True)) == {None: 5, SmsDaily: 45}


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O4", "O12")
async def test_of_fifty_askings_by_strangers_three_messages_are_sent_and_two_are_left_for_the_owner(
    doors: list[SmsLimits], clock: ManualClock
) -> None:
    assert await outcomes(*asks(doors, owner=False)) == {None: 3, SmsHourly: 47}
    assert await outcomes(*asks(doors, owner=True)) == {None: 2, SmsHourly: 48}
    clock.advance(3600)
    assert await outcomes(*asks(doors, owner=False)) == {None: 3, SmsDaily: 47}
    assert await outcomes(*asks(doors, owner=True)) == {None: 2, SmsDaily: 48}


@pytest.mark.attack("O4", "O11")
async def test_of_fifty_askings_by_one_browser_at_one_moment_five_messages_are_sent(doors: list[SmsLimits]) -> None:
    ends = await outcomes(
        *(
            door.count(number(f"154000000{turn:02d}"), browser="one", source=Source(None), owner=False)
            for turn, door in enumerate(doors)
        )
    )
    assert ends == {None: 5, SmsOfBrowser: 45}


@pytest.mark.attack("O4", "O11")
async def test_of_fifty_askings_from_one_network_address_as_many_pass_as_it_is_allowed(processes: Processes) -> None:
    narrow = [limits(place, SmsWindows(source=Window(7, HOUR))) for place in processes.both(AT_ONCE)]
    ends = await outcomes(
        *(
            door.count(number(f"154000000{turn:02d}"), browser=str(turn), source=Source("a"), owner=False)
            for turn, door in enumerate(narrow)
        )
    )
    assert ends == {None: 7, RateLimited: 43}


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O2")
async def test_another_network_address_for_each_asking_brings_no_more_messages(doors: list[SmsLimits]) -> None:
    ends = await outcomes(
        *(
            door.count(number(), browser=str(turn), source=Source(f"address-{turn}"), owner=False)
            for turn, door in enumerate(doors)
        )
    )
    assert ends == {None: 3, SmsHourly: 47}
