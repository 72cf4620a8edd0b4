"""A mandate: every move in every state, and what time alone does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bjidp.clock import DAY, Instant
from bjidp.organisations.mandates import (
    A_DAY,
    AGAIN,
    OPEN,
    Accepted,
    AlreadyAppointed,
    By,
    Ended,
    Made,
    Mandate,
    MandateOver,
    Offered,
    OfferedLately,
    Scope,
    State,
    accept,
    end,
    ends_after,
    require_room,
    wait,
)
from bjidp.proofing.dates import beijing_date

pytestmark = pytest.mark.req("ORG-2")

NOW: Instant = 1_800_000_000_000
OFFER = Mandate(
    id="m",
    organisation="o",
    scope=Scope.FILING,
    phone="13800138000",
    offered_at=NOW,
    ends_at=NOW + 30 * DAY,
    phase=Offered(),
)
TAKEN = replace(OFFER, phase=Accepted("li", 5, NOW))
OVER = replace(OFFER, phase=Ended(By.AGENT, NOW, None))


def lapsed(mandate: Mandate) -> Mandate:
    return replace(mandate, offered_at=NOW - OPEN)


def expired(mandate: Mandate) -> Mandate:
    return replace(mandate, offered_at=NOW - 40 * DAY, ends_at=NOW)


STATES = {
    State.OFFERED: OFFER,
    State.LAPSED: lapsed(OFFER),
    State.ACCEPTED: TAKEN,
    State.EXPIRED: expired(TAKEN),
    State.ENDED: OVER,
}
MOVES: dict[str, tuple[Callable[[Mandate], Mandate], set[State]]] = {
    "accept": (lambda mandate: accept(mandate, "li", 5, NOW), {State.OFFERED}),
    "end": (lambda mandate: end(mandate, By.REPRESENTATIVE, NOW), {State.OFFERED, State.ACCEPTED}),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", MOVES)
def test_every_move_is_made_in_its_states_and_in_no_other(state: State, move: str) -> None:
    mandate = STATES[state]
    assert mandate.state(NOW) is state
    make, allowed = MOVES[move]
    if state in allowed:
        assert make(mandate).state(NOW) is (State.ACCEPTED if move == "accept" else State.ENDED)
    else:
        with pytest.raises(MandateOver):
            make(mandate)


def test_an_end_remembers_who_had_accepted() -> None:
    assert [end(mandate, By.AGENT, NOW).agent for mandate in (OFFER, TAKEN)] == [None, "li"]


@given(st.integers(0, 60 * DAY), st.integers(0, 60 * DAY))
def test_time_alone_ends_whatever_is_live_and_brings_nothing_back(earlier: int, later: int) -> None:
    first, second = NOW + min(earlier, later), NOW + max(earlier, later)
    for mandate in (OFFER, TAKEN, OVER):
        assert mandate.is_live(first) or not mandate.is_live(second)


def test_an_offer_that_ends_before_it_lapses_is_open_until_then() -> None:
    short = replace(OFFER, ends_at=NOW + DAY)
    assert [short.state(NOW + DAY - 1), short.state(NOW + DAY)] == [State.OFFERED, State.LAPSED]


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_mandate_ends_when_its_last_day_in_beijing_is_over(last: date) -> None:
    over = ends_after(last)
    assert beijing_date(over - 1) == last
    assert beijing_date(over) == last + timedelta(days=1)


@given(st.lists(st.integers(NOW - 2 * DAY, NOW), max_size=2 * A_DAY))
def test_who_has_waited_as_long_as_they_were_told_may_offer_again(offered: list[Instant]) -> None:
    pause = wait(offered, NOW)
    assert (pause is not None) == (sum(at > NOW - DAY for at in offered) >= A_DAY)
    if pause is not None:
        assert 0 < pause <= DAY
        assert wait(offered, NOW + pause) is None
        assert wait(offered, NOW + pause - 1) is not None


@pytest.mark.attack("O11")
def test_a_number_is_asked_once_a_day_whatever_became_of_the_offer() -> None:
    over = Made(NOW, live=False, same=True)
    for at in (NOW, NOW + AGAIN - 1):
        with pytest.raises(OfferedLately):
            require_room([over], at)
    require_room([replace(over, same=False)], NOW)
    require_room([over], NOW + AGAIN)
    with pytest.raises(AlreadyAppointed):
        require_room([replace(over, live=True)], NOW + AGAIN)


def test_a_number_is_shown_nowhere() -> None:
    assert "138" not in f"{OFFER!r} {TAKEN}"
