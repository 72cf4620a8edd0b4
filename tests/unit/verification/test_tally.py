"""How many messages a number is sent, in every rolling window (FAQ-1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.clock import DAY, HOUR, MINUTE, SECOND, Instant
from bjidp.errors import RateLimited
from bjidp.verification.errors import SmsDaily, SmsHourly
from bjidp.verification.tally import Asked, NumberLimits, Tally, counted

NOW: Instant = 1_800_000_000_000
LIMITS = NumberLimits()


def asked(*, owner: bool, minutes: list[float]) -> Tally:
    """Return the tally of a number that was sent messages so many minutes before now, the first the oldest."""
    return Tally(tuple(Asked(NOW - round(ago * MINUTE), owner) for ago in minutes))


def refused(tally: Tally, *, owner: bool, now: Instant = NOW) -> RateLimited:
    with pytest.raises(RateLimited) as refusal:
        counted(tally, owner=owner, limits=LIMITS, now=now)
    return refusal.value


@pytest.mark.req("FAQ-1")
def test_the_sixth_message_of_an_hour_is_refused_until_the_first_is_an_hour_old() -> None:
    tally = asked(owner=True, minutes=[50, 40, 30, 20, 10])
    refusal = refused(tally, owner=True)
    assert type(refusal) is SmsHourly
    assert refusal.retry_after == 600
    assert type(refused(tally, owner=True, now=NOW + 600 * SECOND - 1)) is SmsHourly
    assert len(counted(tally, owner=True, limits=LIMITS, now=NOW + 600 * SECOND).asked) == 6


@pytest.mark.req("FAQ-1")
def test_the_eleventh_message_of_a_day_is_refused_until_the_first_is_a_day_old() -> None:
    tally = asked(owner=True, minutes=[60 * (23 - 2 * turn) for turn in range(10)])
    refusal = refused(tally, owner=True)
    assert type(refusal) is SmsDaily
    assert refusal.retry_after == 3600
    assert type(refused(tally, owner=True, now=NOW + HOUR - 1)) is SmsDaily
    assert len(counted(tally, owner=True, limits=LIMITS, now=NOW + HOUR).asked) == 10


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O11")
def test_a_second_message_within_a_minute_is_refused_whoever_asks() -> None:
    for first in (True, False):
        tally = asked(owner=first, minutes=[0.25])
        for second in (True, False):
            refusal = refused(tally, owner=second)
            assert type(refusal) is RateLimited
            assert refusal.retry_after == 45
            assert len(counted(tally, owner=second, limits=LIMITS, now=NOW + 45 * SECOND).asked) == 2


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O12")
def test_strangers_ask_for_three_an_hour_and_the_rest_is_kept_for_the_owner() -> None:
    tally = asked(owner=False, minutes=[50, 40, 30])
    refusal = refused(tally, owner=False)
    assert type(refusal) is SmsHourly
    assert refusal.retry_after == 600
    tally = counted(tally, owner=True, limits=LIMITS, now=NOW)
    tally = counted(tally, owner=True, limits=LIMITS, now=NOW + MINUTE)
    assert type(refused(tally, owner=True, now=NOW + 2 * MINUTE)) is SmsHourly


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O12")
def test_strangers_ask_for_six_a_day_and_the_rest_is_kept_for_the_owner() -> None:
    tally = asked(owner=False, minutes=[60 * (23 - 2 * turn) for turn in range(6)])
    refusal = refused(tally, owner=False)
    assert type(refusal) is SmsDaily
    assert refusal.retry_after == 3600
    for turn in range(4):
        tally = counted(tally, owner=True, limits=LIMITS, now=NOW + turn * MINUTE)
    assert type(refused(tally, owner=True, now=NOW + 4 * MINUTE)) is SmsDaily


@pytest.mark.req("FAQ-1")
def test_what_the_owner_asked_for_leaves_less_for_strangers() -> None:
    tally = asked(owner=True, minutes=[50, 40, 30, 20])
    tally = counted(tally, owner=False, limits=LIMITS, now=NOW)
    assert type(refused(tally, owner=False, now=NOW + MINUTE)) is SmsHourly


@pytest.mark.attack("O11")
@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 30, 59, 60, 61, 600, 1800, 3599, 3600, 7200, 43200]), st.booleans()),
        max_size=60,
    )
)
def test_no_window_ever_holds_more_and_nothing_is_refused_that_has_room(asks: list[tuple[int, bool]]) -> None:
    tally, now = Tally(), NOW
    passed: list[Asked] = []
    for gap, owner in asks:
        now += gap * SECOND
        room = not any(
            sum(one.at > now - span for one in among) >= limit
            for among, span, limit in [
                (passed, MINUTE, 1),
                (passed, HOUR, 5),
                (passed, DAY, 10),
                ([] if owner else [one for one in passed if not one.owner], HOUR, 3),
                ([] if owner else [one for one in passed if not one.owner], DAY, 6),
            ]
        )
        try:
            tally = counted(tally, owner=owner, limits=LIMITS, now=now)
        except RateLimited as refusal:
            assert not room
            # Who comes again when told to is not refused again.
            counted(tally, owner=owner, limits=LIMITS, now=now + refusal.retry_after * SECOND)
        else:
            assert room
            passed.append(Asked(now, owner))
            assert len(tally.asked) <= 10


def test_a_clock_that_was_set_back_forgets_nothing() -> None:
    tally = asked(owner=True, minutes=[2])
    with pytest.raises(RateLimited):
        counted(tally, owner=True, limits=LIMITS, now=NOW - HOUR)
    later = counted(tally, owner=True, limits=NumberLimits(minute=2), now=NOW - 3 * MINUTE)
    assert [one.at for one in later.asked] == [NOW - 2 * MINUTE] * 2


def test_a_limit_of_nothing_refuses_always() -> None:
    with pytest.raises(SmsHourly):
        counted(Tally(), owner=False, limits=NumberLimits(hour_of_strangers=0), now=NOW)
