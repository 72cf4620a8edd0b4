"""Who may go on with what a phone button gave: every state, every caller."""

from __future__ import annotations

import pytest

from bjidp.miniprogram.phone_payload import (
    OFFERED,
    Offered,
    PhonePayload,
    Presented,
    Replayed,
    Spent,
    State,
    going_on,
)

pytestmark = pytest.mark.attack("M6")

NOW = 1_800_000_000_000
FRESH = Offered(b"sealed", NOW - OFFERED)
STALE = Offered(b"sealed", NOW - OFFERED - 1)

SELF = {"session": "s1", "account": "a1"}
SAME_ACCOUNT = {"session": "s2", "account": "a1"}
STRANGER = {"session": "s3", "account": "a2"}


def presented(state: State) -> PhonePayload:
    return PhonePayload("s1", "a1", state)


@pytest.mark.parametrize("distinct", [True, False])
def test_its_session_comes_back_for_ten_minutes_with_what_was_offered(*, distinct: bool) -> None:
    assert going_on(presented(FRESH), **SELF, distinct=distinct, now=NOW) is FRESH


@pytest.mark.parametrize("state", [Presented(), FRESH, STALE, Spent()])
@pytest.mark.parametrize("distinct", [True, False])
def test_another_account_is_refused_in_every_state(state: State, *, distinct: bool) -> None:
    with pytest.raises(Replayed):
        going_on(presented(state), **STRANGER, distinct=distinct, now=NOW)


AGAIN = [
    (Presented(), SELF),
    (Presented(), SAME_ACCOUNT),
    (FRESH, SAME_ACCOUNT),
    (STALE, SELF),
    (STALE, SAME_ACCOUNT),
    (Spent(), SELF),
    (Spent(), SAME_ACCOUNT),
]


@pytest.mark.parametrize(("state", "who"), AGAIN)
def test_what_each_press_gives_anew_is_taken_once(state: State, who: dict[str, str]) -> None:
    with pytest.raises(Replayed):
        going_on(presented(state), **who, distinct=True, now=NOW)


@pytest.mark.parametrize(("state", "who"), AGAIN)
def test_what_every_press_gives_alike_may_be_presented_anew_by_its_account(state: State, who: dict[str, str]) -> None:
    assert going_on(presented(state), **who, distinct=False, now=NOW) is None
