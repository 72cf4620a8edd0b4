"""How a sending ends, whoever tells first."""

from __future__ import annotations

import pytest

from bjidp.vendors.ports.sms import SmsAccepted, SmsRefusal, SmsRefused
from bjidp.verification.code import Channel, Purpose
from bjidp.verification.sending import (
    SENT,
    UNAVAILABLE,
    UNDELIVERED,
    Dispatch,
    End,
    Failure,
    Recent,
    Sending,
    ended,
    is_discreet,
    judged_sms,
    reported,
)

NUMBER = End(Failure.NUMBER)


def dispatch(end: End | None = None, *, discreet: bool = False) -> Dispatch:
    return Dispatch(b"holder", Channel.SMS, discreet, end)


@pytest.mark.parametrize("end", [SENT, UNAVAILABLE, NUMBER])
def test_what_the_provider_answers_is_the_end(end: End) -> None:
    assert ended(dispatch(), end) == dispatch(end)


@pytest.mark.parametrize("end", [SENT, UNAVAILABLE, NUMBER])
def test_a_report_that_was_faster_than_the_answer_stands(end: End) -> None:
    assert ended(dispatch(UNDELIVERED), end) is None
    assert ended(dispatch(SENT), end) is None


@pytest.mark.parametrize(
    ("end", "delivered", "then"),
    [
        (None, True, SENT),
        (None, False, UNDELIVERED),
        (SENT, True, None),
        (SENT, False, UNDELIVERED),
        (UNDELIVERED, True, None),
        (UNDELIVERED, False, None),
        # The answer was lost, and the message was not.
        (UNAVAILABLE, True, SENT),
        (UNAVAILABLE, False, None),
    ],
    ids=str,
)
def test_a_report_corrects_the_end(end: End | None, then: End | None, *, delivered: bool) -> None:
    assert reported(dispatch(end), delivered=delivered) == (None if then is None else dispatch(then))


@pytest.mark.attack("R1")
@pytest.mark.parametrize("end", [None, SENT, UNAVAILABLE], ids=str)
@pytest.mark.parametrize("delivered", [True, False])
def test_of_what_may_be_a_decoys_no_report_is_told(end: End | None, *, delivered: bool) -> None:
    assert reported(dispatch(end, discreet=True), delivered=delivered) is None


@pytest.mark.attack("R1")
def test_of_what_may_be_a_decoys_every_failure_is_the_same() -> None:
    ends = {ended(dispatch(discreet=True), judged_sms(SmsRefused(kind))) for kind in SmsRefusal}
    assert ends == {dispatch(UNAVAILABLE, discreet=True)}
    accepted = judged_sms(SmsAccepted("chuanglan", "1"))
    assert ended(dispatch(discreet=True), accepted) == dispatch(SENT, discreet=True)


@pytest.mark.attack("R1")
def test_decoys_are_there_in_recoveries_alone() -> None:
    assert [purpose for purpose in Purpose if is_discreet(purpose)] == [Purpose.RECOVER]


@pytest.mark.attack("R1")
def test_decoys_take_after_the_last_few_and_every_one_of_them() -> None:
    recent = Recent(kept=4)
    assert recent.pick(7) == Sending(0.4, SENT)
    for turn in range(9):
        recent.note(Sending(float(turn), UNAVAILABLE if turn % 2 else SENT))
        recent.note(Sending(99.0, NUMBER))
    assert {recent.pick(octet).seconds for octet in range(256)} == {5.0, 6.0, 7.0, 8.0}
