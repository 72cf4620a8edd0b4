"""Who may hold an identity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.accounts.ports import Evidence
from bjidp.clock import SECOND
from bjidp.proofing.binding import (
    MOVES_EVERY,
    Bind,
    Holding,
    Keep,
    Move,
    Renew,
    Wait,
    award,
    decide,
    is_led_to,
    taking,
)
from bjidp.standing import Status

NOW = 1_800_000_000_000
proofs = st.sampled_from(Evidence)


@pytest.mark.req("RNV-7")
@given(proofs)
def test_what_nobody_holds_is_bound_by_any_proof(proof: Evidence) -> None:
    assert decide("mine", proof, None, NOW) == Bind()


@pytest.mark.req("RNV-7")
@given(proofs, proofs)
def test_ones_own_is_proved_anew_by_any_proof(proof: Evidence, former: Evidence) -> None:
    assert decide("mine", proof, Holding("mine", Status.ACTIVE, former, NOW), NOW) == Renew()


@pytest.mark.req("RNV-7")
@given(proofs, proofs, st.none() | st.integers(0, NOW - MOVES_EVERY))
def test_anothers_is_taken_by_an_equal_or_better_proof_that_is_more_than_a_name_and_a_number(
    proof: Evidence, held_by: Evidence, moved_at: int | None
) -> None:
    takes = proof is not Evidence.NAME_AND_NUMBER and not held_by.outweighs(proof)
    found = decide("mine", proof, Holding("theirs", Status.ACTIVE, held_by, moved_at), NOW)
    assert found == (Move("theirs") if takes else Keep(taking(held_by)))


@pytest.mark.req("RNV-7")
@pytest.mark.parametrize(
    ("held_by", "by"),
    [
        (Evidence.NAME_AND_NUMBER, (Evidence.BANK_CARD, Evidence.FACE)),
        (Evidence.BANK_CARD, (Evidence.BANK_CARD, Evidence.FACE)),
        (Evidence.FACE, (Evidence.FACE,)),
    ],
)
def test_who_may_not_take_it_is_told_what_would(held_by: Evidence, by: tuple[Evidence, ...]) -> None:
    assert decide("mine", Evidence.NAME_AND_NUMBER, Holding("theirs", Status.ACTIVE, held_by, None), NOW) == Keep(by)


@pytest.mark.req("RNV-7")
@given(st.integers(0, MOVES_EVERY - 1))
def test_what_moved_within_a_day_stays_and_says_how_long(ago: int) -> None:
    found = decide("mine", Evidence.FACE, Holding("theirs", Status.ACTIVE, Evidence.FACE, NOW - ago), NOW)
    assert isinstance(found, Wait)
    assert (found.seconds - 1) * SECOND < MOVES_EVERY - ago <= found.seconds * SECOND
    assert decide(
        "mine", Evidence.FACE, Holding("theirs", Status.ACTIVE, Evidence.FACE, NOW - MOVES_EVERY), NOW
    ) == Move("theirs")


@pytest.mark.req("REG-7", "RNV-7")
@given(proofs, proofs, st.none() | st.integers(0, NOW - MOVES_EVERY))
def test_whom_a_phone_leads_to_another_account_could_take_the_identity_from_it_on_a_page_or_proved_it_less_well(
    held_by: Evidence, proof: Evidence, moved_at: int | None
) -> None:
    moves = isinstance(decide("mine", proof, Holding("theirs", Status.ACTIVE, held_by, moved_at), NOW), Move)
    assert moves or is_led_to(held_by, proof)
    # What differs is an equal proof alone: on a phone the account is theirs, on a page the identity moves.
    assert (moves and is_led_to(held_by, proof)) == (held_by is proof is not Evidence.NAME_AND_NUMBER)


@pytest.mark.attack("Q21")
@given(proofs, proofs, st.none() | st.integers(NOW - 2 * MOVES_EVERY, NOW))
def test_from_an_account_that_may_not_be_used_no_proof_takes_it_and_none_is_named(
    proof: Evidence, held_by: Evidence, moved_at: int | None
) -> None:
    assert decide("mine", proof, Holding("theirs", Status.LOCKED, held_by, moved_at), NOW) == Keep(())
    assert decide("mine", proof, Holding("mine", Status.LOCKED, held_by, moved_at), NOW) == Renew()


@pytest.mark.req("RNV-8")
@given(proofs, st.sampled_from(Status), st.none() | st.integers(0, NOW))
def test_what_people_decide_moves_whoever_holds_it_and_however_well(
    former: Evidence, status: Status, moved_at: int | None
) -> None:
    assert award("mine", None) == Bind()
    assert award("mine", Holding("mine", status, former, moved_at)) == Renew()
    assert award("mine", Holding("another", status, former, moved_at)) == Move("another")
