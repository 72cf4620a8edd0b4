"""How long what a register was asked serves."""

from __future__ import annotations

import pytest

from bjidp.clock import DAY, HOUR, SECOND
from bjidp.proofing.repeats import NO_SERVES, serves
from bjidp.vendors.ports.registers import RegisterAnswer

MIDNIGHT = 1_800_000_000_000 + 8 * HOUR
"""The end of a day in Beijing."""
NOES = tuple(answer for answer in RegisterAnswer if answer is not RegisterAnswer.MATCH)


@pytest.mark.req("RNV-4")
@pytest.mark.parametrize("answer", [None, RegisterAnswer.MATCH])
def test_a_question_and_a_yes_serve_on_the_day_on_which_they_were_asked(answer: RegisterAnswer | None) -> None:
    begun_at = MIDNIGHT - DAY
    answered_at = None if answer is None else begun_at + SECOND
    for now, serve in ((begun_at, True), (MIDNIGHT - 1, True), (MIDNIGHT, False), (MIDNIGHT + DAY, False)):
        assert serves(answer, begun_at=begun_at, answered_at=answered_at, now=now) is serve


@pytest.mark.req("RNV-1")
def test_a_yes_that_came_after_midnight_to_a_question_of_the_day_before_is_of_that_day() -> None:
    yes = RegisterAnswer.MATCH
    assert not serves(yes, begun_at=MIDNIGHT - SECOND, answered_at=MIDNIGHT + SECOND, now=MIDNIGHT + 2 * SECOND)


@pytest.mark.req("REG-4", "RNV-10")
@pytest.mark.parametrize("answer", NOES)
def test_a_no_serves_for_minutes(answer: RegisterAnswer) -> None:
    said_at = MIDNIGHT - HOUR
    for now, serve in ((said_at, True), (said_at + NO_SERVES - 1, True), (said_at + NO_SERVES, False)):
        assert serves(answer, begun_at=said_at - SECOND, answered_at=said_at, now=now) is serve
