"""Answers that leave on the stroke of a clock."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.accounts.evenly import STEP, evenly, until_next


@pytest.mark.attack("R1")
@given(st.floats(0, 10 * STEP))
def test_whatever_it_took_it_ends_with_a_whole_number_of_steps(taken: float) -> None:
    whole = (taken + until_next(taken, STEP)) / STEP
    assert whole == pytest.approx(round(whole))
    assert 0 < until_next(taken, STEP) <= STEP


@pytest.mark.attack("R1")
async def test_a_failure_leaves_no_sooner_than_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def waits(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", waits)
    with pytest.raises(LookupError):
        async with evenly():
            raise LookupError
    # Not by the clock: on a busy machine it goes on by itself.
    assert [0 < seconds <= STEP for seconds in waited] == [True]
