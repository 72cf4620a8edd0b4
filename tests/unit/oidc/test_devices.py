"""User codes, and how often a device may ask."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.clock import MINUTE, SECOND
from bjidp.entropy import SeededEntropy, SystemEntropy
from bjidp.oidc.devices import user_code
from bjidp.oidc.devices.pacing import INTERVAL, LEEWAY, LONGER, Pace, asked, first

pytestmark = pytest.mark.req("RP-3")

START = 1_800_000_000_000


@pytest.mark.attack("Q7")
def test_user_codes_are_of_twenty_letters_each_as_likely_as_the_others() -> None:
    codes = [user_code.drawn(SeededEntropy(str(seed))) for seed in range(1_000)]
    assert len(set(codes)) == 1_000
    assert {len(code) for code in codes} == {9}
    counted = Counter(letter for code in codes for letter in code.replace("-", ""))
    assert set(counted) == set(user_code.LETTERS)
    # Chi-square with 19 degrees of freedom: 43.8 is passed by one in a thousand fair sources; the seeds are fixed.
    assert sum((seen - 400) ** 2 / 400 for seen in counted.values()) < 43.8


@pytest.mark.parametrize(
    "typed",
    [
        "WDJB-MJHT",
        "wdjbmjht",
        " wdjb mjht ",
        "W D J B - M J H T",
        "ＷＤＪＢ－ＭＪＨＴ",
        "ｗｄｊｂｍｊｈｔ",
        "wdjb—mjht",
    ],
)
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert user_code.read(typed) == "WDJB-MJHT"


@pytest.mark.parametrize(
    "typed", ["", "WDJB", "WDJB-MJHTX", "WDJB-MJH0", "WDJB-MJHA", "京" * 8, "W" * 9, "ß" * 8, "-" * 33]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert user_code.read(typed) is None


@given(st.text(max_size=64))
def test_whatever_is_typed_is_a_code_or_none(typed: str) -> None:
    found = user_code.read(typed)
    assert found is None or user_code.read(found) == found


def test_every_code_that_is_drawn_is_read() -> None:
    for _ in range(100):
        drawn = user_code.drawn(SystemEntropy())
        assert user_code.read(drawn) == user_code.read(drawn.lower().replace("-", " ")) == drawn


def test_who_waits_the_interval_is_never_told_to_slow_down() -> None:
    pace = first(START)
    for number in range(1, 60):
        pace, too_soon = asked(pace, START + number * INTERVAL)
        assert not too_soon
        assert pace.interval == INTERVAL


@pytest.mark.parametrize(("late", "too_soon"), [(-1, True), (0, False)])
def test_the_way_of_a_question_may_take_a_little_less_than_that_of_the_one_before(late: int, too_soon: bool) -> None:
    assert asked(first(START), START + INTERVAL - LEEWAY + late)[1] is too_soon


@given(st.lists(st.integers(0, 40 * SECOND), max_size=60))
def test_each_slow_down_adds_five_seconds_and_nothing_else_does(pauses: list[int]) -> None:
    pace, now, told = first(START), START, 0
    for pause in pauses:
        now += pause
        allowed = INTERVAL + told * LONGER - LEEWAY
        pace, too_soon = asked(pace, now)
        assert too_soon is (pause < allowed)
        told += too_soon
        assert pace == Pace(now, INTERVAL + told * LONGER)


@given(st.lists(st.integers(0, 40 * SECOND), max_size=60))
def test_who_heeds_every_slow_down_is_told_so_once_for_each_time_it_did_not_wait(pauses: list[int]) -> None:
    """A client as RFC 8628 wants it: it adds five seconds whenever it is told to, and then waits that long."""
    pace, now, interval = first(START), START, INTERVAL
    for pause in pauses:
        early = now + min(pause, interval)
        pace, too_soon = asked(pace, early)
        now = early
        if too_soon:
            interval += LONGER
            now += interval
            pace, again = asked(pace, now)
            assert not again, "it has waited what it was told"
        assert pace.interval == interval


def test_a_clock_that_was_set_back_does_not_shorten_a_wait() -> None:
    pace, too_soon = asked(Pace(START, INTERVAL), START - MINUTE)
    assert too_soon
    assert pace.asked_at == START
