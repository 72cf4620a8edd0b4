"""What the register's answers come to."""

from __future__ import annotations

import pytest

from bjidp.organisations.errors import Refusal
from bjidp.organisations.judging import ENDS_IT, refusal
from bjidp.vendors.ports.registers import Finding, Reason, RegisterAnswer

pytestmark = pytest.mark.req("ORG-1")


@pytest.mark.parametrize(
    ("answer", "reason", "said"),
    [
        (RegisterAnswer.MATCH, None, None),
        (RegisterAnswer.UNKNOWN, None, Refusal.UNKNOWN),
        (RegisterAnswer.MISMATCH, Reason.ORGANISATION_NAME, Refusal.NAME),
        (RegisterAnswer.MISMATCH, Reason.REPRESENTATIVE, Refusal.REPRESENTATIVE),
        (RegisterAnswer.REFUSED, Reason.ORGANISATION_REVOKED, Refusal.REVOKED),
        (RegisterAnswer.REFUSED, Reason.ORGANISATION_DEREGISTERED, Refusal.DEREGISTERED),
        (RegisterAnswer.EXPIRED, Reason.ORGANISATION_TERM_OVER, Refusal.TERM_OVER),
        (RegisterAnswer.EXPIRED, None, Refusal.OTHER),
        (RegisterAnswer.REFUSED, Reason.OUTSIDE_RANGE, Refusal.OTHER),
    ],
)
def test_a_clear_yes_alone_is_one(answer: RegisterAnswer, reason: Reason | None, said: Refusal | None) -> None:
    assert refusal(Finding(answer, reason, "R1")) is said


def test_what_can_be_put_right_takes_nothing_from_anybody() -> None:
    assert set(Refusal) - ENDS_IT == {Refusal.NAME, Refusal.UNKNOWN, Refusal.TERM_OVER, Refusal.OTHER}
