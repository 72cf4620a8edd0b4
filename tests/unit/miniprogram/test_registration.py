"""The registration's transitions: every event in every state, and how old a verdict may be."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bjidp.clock import SECOND
from bjidp.miniprogram import registration as steps
from bjidp.miniprogram.errors import FaceFailed, FaceFailure, FacePending, IdentityMismatch
from bjidp.miniprogram.registration import (
    AuthorityRefusal,
    Check,
    Checking,
    Done,
    FaceRefusal,
    Found,
    InvalidTransition,
    Opened,
    Passed,
    Registration,
    State,
)
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform
from bjidp.proofing.adjudication import Advice
from bjidp.vendors.ports.platforms import FaceVerdict
from bjidp.vendors.ports.registers import Finding, Reason, RegisterAnswer

NOW = 1_800_000_000_000
CHECK = Check("reference", "verification", b"sealed", 30, NOW, NOW)
ZHANG = Person(DocumentType.RESIDENT_ID, "张三", "110101199003070011")
YES = Finding(RegisterAnswer.MATCH, None, "authority-1")
NO = Finding(RegisterAnswer.MISMATCH, Reason.NAME, "authority-2")

STATES: dict[str, State] = {
    "opened": Opened(),
    "checking": Checking(CHECK),
    "passed": Passed(CHECK, NOW),
    "matched": Passed(CHECK, NOW, "authority-1"),
    "found": Found(CHECK, "authority-1", "account", "******1234567", "150****7931"),
    "claimed": Found(CHECK, "authority-1", "account", "******1234567", "150****7931", proved=True),
    "done": Done("session"),
}


def registration(state: State) -> Registration:
    return Registration(Platform.WECHAT, b"sealed", NOW + steps.LIFETIME, state)


Event = Callable[[Registration], Registration]
EVENTS: dict[str, Event] = {
    "restart": lambda it: steps.restart(it, NOW),
    "started": lambda it: steps.started(it, CHECK),
    "not_started": lambda it: steps.not_started(it, "document"),
    "pending": lambda it: steps.judged(it, FaceVerdict.PENDING, asked_at=NOW + 1, answered_at=NOW + 2),
    "passed": lambda it: steps.judged(it, FaceVerdict.PASSED, asked_at=NOW + 1, answered_at=NOW + 2),
    "failed": lambda it: steps.judged(it, FaceVerdict.FAILED, asked_at=NOW + 1, answered_at=NOW + 2),
    "cancelled": lambda it: steps.judged(it, FaceVerdict.CANCELLED, asked_at=NOW + 1, answered_at=NOW + 2),
    "lapsed": steps.lapsed,
    "yes": lambda it: steps.answered(it, ZHANG, YES),
    "no": lambda it: steps.answered(it, ZHANG, NO),
    "found": lambda it: steps.found(it, account="account", username="u", phone=None, now=NOW),
    "found_anew": lambda it: steps.found_anew(it, account="other", username="u", phone=None),
    "proved": steps.proved,
    "done": lambda it: steps.done(it, "session"),
}

REFUSED = Opened(FaceRefusal(FaceFailure.FAILED))
ALLOWED: dict[tuple[str, str], State] = {
    **{(state, "restart"): Opened() for state in STATES if state != "done"},
    ("opened", "started"): Checking(CHECK),
    ("opened", "not_started"): Opened(),
    ("checking", "pending"): Checking(replace(CHECK, without_verdict_at=NOW + 1)),
    ("checking", "passed"): Passed(CHECK, NOW + 2),
    ("checking", "failed"): REFUSED,
    ("checking", "cancelled"): Opened(FaceRefusal(FaceFailure.CANCELLED)),
    ("passed", "lapsed"): Opened(FaceRefusal(FaceFailure.TOO_OLD)),
    ("matched", "lapsed"): Opened(FaceRefusal(FaceFailure.TOO_OLD)),
    ("passed", "yes"): Passed(CHECK, NOW, "authority-1"),
    ("passed", "no"): Opened(AuthorityRefusal((Advice.CHECK_AGAIN,))),
    ("matched", "found"): Found(CHECK, "authority-1", "account", "u", None),
    **{(state, "found_anew"): Found(CHECK, "authority-1", "other", "u", None) for state in ("found", "claimed")},
    **{(state, "proved"): STATES["claimed"] for state in ("found", "claimed")},
    **{(state, "done"): Done("session") for state in ("matched", "found", "claimed")},
}


@pytest.mark.req("REG-7")
@pytest.mark.attack("B2", "B3")
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", STATES)
def test_every_event_in_every_state(state: str, event: str) -> None:
    before = registration(STATES[state])
    following = ALLOWED.get((state, event))
    if following is None:
        with pytest.raises(InvalidTransition):
            EVENTS[event](before)
    else:
        assert EVENTS[event](before).state == following


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
def test_every_state_survives_a_store(state: State) -> None:
    stored = msgspec.msgpack.encode(registration(state))
    assert msgspec.msgpack.decode(stored, type=Registration) == registration(state)


def test_no_new_face_check_begins_after_the_time_is_over() -> None:
    over = registration(Opened())
    assert steps.restart(over, over.expires_at - 1).state == Opened()
    with pytest.raises(InvalidTransition):
        steps.restart(over, over.expires_at)


@pytest.mark.attack("B3")
@pytest.mark.parametrize(("age", "counts"), [(0, True), (120 * SECOND, True), (120 * SECOND + 1, False)])
def test_a_verdict_counts_for_120_seconds_after_the_last_moment_without_one(age: int, counts: bool) -> None:
    after = steps.judged(registration(Checking(CHECK)), FaceVerdict.PASSED, asked_at=NOW, answered_at=NOW + age)
    assert isinstance(after.state, Passed) == counts
    if not counts:
        assert after.state == Opened(FaceRefusal(FaceFailure.TOO_OLD))


@pytest.mark.attack("B3")
def test_a_not_yet_makes_room_for_a_later_verdict_and_never_turns_time_back() -> None:
    asked = NOW + 100 * SECOND
    pending = steps.judged(registration(Checking(CHECK)), FaceVerdict.PENDING, asked_at=asked, answered_at=asked)
    earlier = steps.judged(pending, FaceVerdict.PENDING, asked_at=NOW, answered_at=asked)
    late = asked + 120 * SECOND
    assert isinstance(steps.judged(earlier, FaceVerdict.PASSED, asked_at=late, answered_at=late).state, Passed)
    later = steps.judged(earlier, FaceVerdict.PASSED, asked_at=late, answered_at=late + 1)
    assert later.state == Opened(FaceRefusal(FaceFailure.TOO_OLD))


@pytest.mark.attack("B3")
def test_a_verdict_that_was_taken_serves_its_age_or_a_minute_whichever_is_longer() -> None:
    early = Passed(CHECK, NOW + 10 * SECOND)
    assert not steps.overdue(early, NOW + 120 * SECOND)
    assert steps.overdue(early, NOW + 120 * SECOND + 1)
    late = Passed(CHECK, NOW + 110 * SECOND)
    assert not steps.overdue(late, NOW + 170 * SECOND)
    assert steps.overdue(late, NOW + 170 * SECOND + 1)


@given(st.lists(st.tuples(st.sampled_from([*EVENTS]), st.integers(0, 200 * SECOND)), max_size=12))
@pytest.mark.attack("B1", "B3")
def test_no_path_leads_to_done_but_start_pass_and_the_authoritys_yes(events: list[tuple[str, int]]) -> None:
    it = registration(Opened())
    happened: list[str] = []
    for event, _ in events:
        try:
            it = EVENTS[event](it)
        except InvalidTransition:
            continue
        happened.append(event)
    if isinstance(it.state, Done):
        decisive = [event for event in happened if event != "pending"]
        assert decisive[-4:] == ["started", "passed", "yes", "done"]


def test_what_a_phone_is_told_when_no_check_is_under_way() -> None:
    assert isinstance(steps.error_of(None), FacePending)
    failed = steps.error_of(FaceRefusal(FaceFailure.CANCELLED))
    assert isinstance(failed, FaceFailed)
    assert failed.details == {"reason": "cancelled"}
    mismatch = steps.error_of(AuthorityRefusal((Advice.ASK_ISSUER,)))
    assert isinstance(mismatch, IdentityMismatch)
    assert mismatch.details == {"advice": ("ask_issuer",)}


@pytest.mark.parametrize("answer", [answer for answer in RegisterAnswer if answer is not RegisterAnswer.MATCH])
def test_every_answer_but_a_clear_match_is_a_no(answer: RegisterAnswer) -> None:
    after = steps.answered(registration(Passed(CHECK, NOW)), ZHANG, Finding(answer, None, "r"))
    assert isinstance(after.state, Opened)
