"""One ticket: every event in every state, every guard at its edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import msgspec
import pytest

from bjidp.clock import MINUTE, SECOND, Instant
from bjidp.errors import BjidpError
from bjidp.qrlogin import machine
from bjidp.qrlogin.errors import ConfirmRefused, FacePending, TicketClosed, TicketExpired, TicketTaken
from bjidp.qrlogin.machine import TRANSITIONS, Event, InvalidTransition
from bjidp.qrlogin.policy import Purpose, QrPolicy
from bjidp.qrlogin.ticket import (
    LIVE,
    Approved,
    Pending,
    Redeemed,
    Rejected,
    Scanned,
    State,
    Superseded,
    Ticket,
    Verifying,
)
from bjidp.sessions.authentication import Authenticated, Method
from tests.support.qr import LI, POLICY, ZHANG, a_device_ticket, a_ticket

START: Instant = 1_800_000_000_000
NOW = START + 5 * SECOND


def scanned(ticket: Ticket | None = None, now: Instant = NOW, *, code: bool = False) -> Ticket:
    return machine.scan(ticket or a_ticket(now=START), ZHANG, POLICY, now, code_required=code)


def approved(now: Instant = NOW, *, code: str | None = None) -> Ticket:
    return machine.confirm(scanned(now=now, code=code is not None), POLICY, now, code=code)


def deadline(ticket: Ticket) -> Instant:
    end = machine.deadline(ticket)
    assert end is not None
    return end


def of_a_device(*, face: bool) -> dict[type[State], Ticket]:
    """Return a device ticket in every state; ``face`` for one that asks for a face."""
    held = scanned(a_device_ticket(now=START, face=face))
    checked = machine.pass_face(machine.start_face(held, "verification", NOW), "verification", NOW)
    done = machine.confirm(checked, POLICY, NOW, code=None)
    return {
        Pending: a_device_ticket(now=START, face=face),
        Scanned: held,
        Verifying: checked,
        Approved: done,
        Redeemed: machine.redeem(done, "claim", NOW),
        Rejected: machine.reject(held, NOW),
        Superseded: machine.supersede(held),
    }


STATES: dict[type[State], Ticket] = {
    Pending: a_ticket(now=START),
    Scanned: scanned(),
    Verifying: machine.start_face(scanned(), "verification", NOW),
    Approved: approved(code="07"),
    Redeemed: machine.redeem(approved(code="07"), "claim", NOW),
    Rejected: machine.reject(scanned(), NOW),
    Superseded: machine.supersede(scanned()),
}

EVENTS: dict[Event, Callable[[Ticket, Instant], Ticket]] = {
    "scan": lambda ticket, now: machine.scan(ticket, ZHANG, POLICY, now, code_required=False),
    "start_face": lambda ticket, now: machine.start_face(ticket, "verification", now),
    "pass_face": lambda ticket, now: machine.pass_face(ticket, "verification", now),
    "confirm": lambda ticket, now: machine.confirm(ticket, POLICY, now, code=None),
    "reject": machine.reject,
    "count_try": machine.count_try,
    "exhaust": machine.exhaust,
    "refuse": lambda ticket, _: machine.refuse(ticket, "claim"),
    "redeem": lambda ticket, now: machine.redeem(ticket, "claim", now),
    "withdraw": machine.withdraw,
    "release": lambda ticket, _: machine.release(ticket, "claim"),
    "supersede": lambda ticket, _: machine.supersede(ticket),
}

OF_THE_PHONE = ("scan", "start_face", "pass_face", "confirm", "reject")


def _refusal(state: type[State], event: Event) -> type[Exception]:
    """Return how an event is refused where the table of transitions has no line for it."""
    if event not in OF_THE_PHONE:
        return InvalidTransition
    if state is Pending:
        return ConfirmRefused  # nobody holds it, so no confirm token is good
    return FacePending if state is Scanned else TicketClosed


@pytest.mark.attack("Q13", "Q3", "Q11", "Q14")
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_event_in_every_state(state: type[State], event: Event) -> None:
    targets = {after for before, name, after in TRANSITIONS if (before, name) == (state, event)}
    ticket = STATES[state]
    if targets:
        changed = EVENTS[event](ticket, NOW)
        assert {type(changed.state)} == targets
        kept = msgspec.structs.replace(changed, state=ticket.state)
        assert kept == ticket, "an event changes the state and nothing else"
    else:
        with pytest.raises(_refusal(state, event)):
            EVENTS[event](ticket, NOW)


@pytest.mark.req("RP-3")
@pytest.mark.attack("Q13", "Q14", "Q18", "Q19")
@pytest.mark.parametrize("face", [False, True])
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_event_in_every_state_of_a_device_ticket(state: type[State], event: Event, face: bool) -> None:
    targets = {after for before, name, after in TRANSITIONS if (before, name) == (state, event)}
    ticket = of_a_device(face=face)[state]
    if face and (state, event) == (Scanned, "confirm"):
        with pytest.raises(FacePending):
            EVENTS[event](ticket, NOW)
    elif targets:
        changed = EVENTS[event](ticket, NOW)
        assert {type(changed.state)} == targets
        kept = msgspec.structs.replace(changed, state=ticket.state)
        assert kept == ticket, "what it was made for is what it is redeemed for"
        end = machine.deadline(changed)
        assert end in {None, START + 300 * SECOND}, "nothing prolongs it and nothing cuts it"
    else:
        with pytest.raises(_refusal(state, event)):
            EVENTS[event](ticket, NOW)


def test_the_table_names_every_state_and_every_event_once() -> None:
    assert set(STATES) == set(get_args(State))
    assert set(EVENTS) == set(get_args(Event)) == {event for _, event, _ in TRANSITIONS}
    assert len({(before, event) for before, event, _ in TRANSITIONS}) == len(TRANSITIONS)


@pytest.mark.attack("Q15")
@pytest.mark.parametrize(
    ("state", "event"),
    [
        pytest.param(before, event, id=f"{before.__name__}-{event}")
        for before, event, _ in TRANSITIONS
        # Superseding is another ticket's doing: flow.py asks whether there is anything left to supersede.
        if before in LIVE and event != "supersede"
    ],
)
def test_an_event_counts_before_the_deadline_and_not_at_it(state: type[State], event: Event) -> None:
    ticket = STATES[state]
    end = deadline(ticket)
    assert machine.is_live(ticket, end - 1)
    assert not machine.is_live(ticket, end)
    assert machine.has_expired(ticket, end)
    assert not machine.has_expired(ticket, end - 1)
    EVENTS[event](ticket, end - 1)
    with pytest.raises(TicketExpired):
        EVENTS[event](ticket, end)


@pytest.mark.parametrize("state", [Redeemed, Rejected, Superseded], ids=lambda state: state.__name__)
def test_what_is_over_for_good_neither_lives_nor_expires(state: type[State]) -> None:
    ticket = STATES[state]
    for now in (NOW, NOW + 10**9):
        assert machine.deadline(ticket) is None
        assert not machine.is_live(ticket, now)
        assert not machine.has_expired(ticket, now)


@pytest.mark.req("LOG-2")
@pytest.mark.parametrize(
    ("purpose", "code", "slow", "scan", "confirm", "redeem"),
    [
        (Purpose.LOGIN, None, False, 60, 60, 30),
        (Purpose.LOGIN, "07", False, 60, 60, 90),
        (Purpose.LOGIN, None, True, 60, 60, 90),
        (Purpose.VERIFY, None, False, 60, 60, 30),
        (Purpose.FACE, None, False, 60, 180, 30),
        (Purpose.FACE, "07", False, 60, 180, 90),
    ],
)
def test_each_phase_has_its_time(
    purpose: Purpose, code: str | None, slow: bool, scan: int, confirm: int, redeem: int
) -> None:
    ticket = a_ticket(now=START, purpose=purpose, slow=slow)
    assert deadline(ticket) == START + scan * SECOND
    last_scan = deadline(ticket) - 1
    held = machine.scan(ticket, ZHANG, POLICY, last_scan, code_required=code is not None)
    assert deadline(held) == last_scan + confirm * SECOND
    last_confirm = deadline(held) - 1
    if purpose is Purpose.FACE:
        held = machine.pass_face(machine.start_face(held, "v", last_scan), "v", last_confirm)
    done = machine.confirm(held, POLICY, last_confirm, code=code)
    assert deadline(done) == last_confirm + redeem * SECOND
    assert deadline(done) <= START + (330 if purpose is Purpose.FACE else 240) * SECOND


@pytest.mark.attack("Q15")
@pytest.mark.parametrize(("late", "accepted"), [(-1, True), (0, True), (1, False)])
@pytest.mark.parametrize("code", [None, "07"])
def test_a_confirm_counts_only_while_the_whole_time_to_redeem_fits(late: int, accepted: bool, code: str | None) -> None:
    patient = QrPolicy(confirm=10 * MINUTE)
    held = machine.scan(a_ticket(now=START), ZHANG, patient, NOW, code_required=code is not None)
    assert deadline(held) == START + 240 * SECOND, "the cap cuts the phase"
    when = START + (240 - (90 if code else 30)) * SECOND + late
    if accepted:
        assert deadline(machine.confirm(held, patient, when, code=code)) <= START + 240 * SECOND
    else:
        with pytest.raises(TicketExpired):
            machine.confirm(held, patient, when, code=code)


def test_a_device_ticket_lives_five_minutes_in_all() -> None:
    ticket = a_device_ticket(now=START)
    end = START + 300 * SECOND
    assert deadline(ticket) == end
    held = machine.scan(ticket, ZHANG, POLICY, end - 10 * SECOND, code_required=False)
    assert deadline(held) == end
    assert deadline(machine.confirm(held, POLICY, end - 1, code=None)) == end
    soon = machine.scan(ticket, ZHANG, POLICY, START + SECOND, code_required=False)
    assert deadline(soon) == end, "who compares codes and reads what is asked for is not hurried"


@pytest.mark.req("RP-3")
def test_a_page_that_confirms_tells_how_its_person_had_logged_in() -> None:
    held = scanned(a_device_ticket(now=START))
    page = Authenticated(START - MINUTE, (Method.PASSWORD,))
    done = machine.confirm(held, POLICY, NOW, code=None, authenticated=page).state
    assert isinstance(done, Approved)
    assert done.authenticated == page


@pytest.mark.attack("Q5")
@pytest.mark.parametrize("state", [Scanned, Verifying], ids=lambda state: state.__name__)
def test_the_first_account_to_scan_holds_the_ticket(state: type[State]) -> None:
    with pytest.raises(TicketTaken):
        machine.scan(STATES[state], LI, POLICY, NOW, code_required=False)


@pytest.mark.attack("Q15", "Q12")
@pytest.mark.parametrize("state", [Scanned, Verifying], ids=lambda state: state.__name__)
def test_scanning_again_counts_the_scan_and_prolongs_nothing(state: type[State]) -> None:
    ticket = STATES[state]
    again = machine.scan(ticket, ZHANG, POLICY, NOW + 30 * SECOND, code_required=False)
    assert machine.scanner(again) == (ZHANG, 2)
    assert deadline(again) == deadline(ticket)


def test_scanning_again_from_another_phone_of_the_account_makes_that_phone_the_holder() -> None:
    other = msgspec.structs.replace(ZHANG, link="another", platform="baidu")
    again = machine.scan(STATES[Scanned], other, POLICY, NOW, code_required=False)
    assert machine.scanner(again) == (other, 2)


@pytest.mark.attack("P9")
def test_a_code_once_called_for_stays_called_for() -> None:
    again = scanned(scanned(code=True), code=False)
    with pytest.raises(InvalidTransition):
        machine.confirm(again, POLICY, NOW, code=None)
    later = scanned(scanned(code=False), code=True)
    with pytest.raises(InvalidTransition):
        machine.confirm(later, POLICY, NOW, code=None)
    assert isinstance(machine.confirm(later, POLICY, NOW, code="07").state, Approved)


def test_a_code_nobody_called_for_is_a_bug() -> None:
    with pytest.raises(InvalidTransition):
        machine.confirm(scanned(), POLICY, NOW, code="07")


@pytest.mark.attack("B2")
def test_only_the_face_check_that_is_awaited_counts() -> None:
    ticket = scanned(a_ticket(now=START, purpose=Purpose.FACE))
    with pytest.raises(FacePending):
        machine.confirm(ticket, POLICY, NOW, code=None)
    first = machine.start_face(ticket, "first", NOW)
    second = machine.start_face(first, "second", NOW)
    with pytest.raises(FacePending):
        machine.pass_face(second, "first", NOW)
    with pytest.raises(FacePending):
        machine.confirm(second, POLICY, NOW, code=None)
    passed = machine.pass_face(second, "second", NOW)
    done = machine.confirm(passed, POLICY, NOW, code=None).state
    assert isinstance(done, Approved)
    assert done.evidence == "second"


@pytest.mark.attack("B2")
@pytest.mark.attack("B2")
def test_what_one_link_of_an_account_showed_is_forgotten_when_another_takes_the_ticket() -> None:
    ticket = machine.start_face(scanned(a_ticket(now=START, purpose=Purpose.FACE)), "first", NOW)
    passed = machine.pass_face(ticket, "first", NOW)
    again = machine.scan(passed, ZHANG, POLICY, NOW, code_required=False)
    assert isinstance(again.state, Verifying)
    assert again.state.passed, "the same link again"
    other = msgspec.structs.replace(ZHANG, link="another")
    taken = machine.scan(passed, other, POLICY, NOW, code_required=False)
    assert isinstance(taken.state, Verifying)
    assert not taken.state.passed
    with pytest.raises(FacePending):
        machine.confirm(taken, POLICY, NOW, code=None)


@pytest.mark.req("OPS-4")
def test_a_ticket_of_the_release_before_that_waits_for_a_face_is_read() -> None:
    ticket = machine.start_face(scanned(a_ticket(now=START, purpose=Purpose.FACE)), "first", NOW)
    kept = msgspec.to_builtins(ticket)
    assert kept["state"]["verification"] == "first"
    assert msgspec.convert(kept, Ticket) == ticket


def test_a_face_check_that_begins_anew_forgets_the_one_that_passed() -> None:
    ticket = machine.start_face(scanned(a_ticket(now=START, purpose=Purpose.FACE)), "first", NOW)
    again = machine.start_face(machine.pass_face(ticket, "first", NOW), "second", NOW)
    with pytest.raises(FacePending):
        machine.confirm(again, POLICY, NOW, code=None)


@pytest.mark.attack("O4")
def test_a_try_is_taken_off_before_the_code_is_compared_and_there_are_three() -> None:
    ticket = approved(code="07")
    for left in (2, 1, 0):
        ticket = machine.count_try(ticket, NOW)
        assert isinstance(ticket.state, Approved)
        assert ticket.state.tries_left == left
    with pytest.raises(InvalidTransition):
        machine.count_try(ticket, NOW)
    dead = machine.exhaust(ticket, NOW).state
    assert isinstance(dead, Rejected)
    assert dead.reason == "code"


@pytest.mark.attack("Q4")
def test_only_the_request_that_won_may_settle_what_it_claimed() -> None:
    ticket = machine.redeem(approved(), "winner", NOW)
    for settle in (machine.release, machine.refuse):
        with pytest.raises(InvalidTransition):
            settle(ticket, "loser")


@pytest.mark.attack("Q15")
def test_an_approval_that_is_given_back_keeps_its_deadline() -> None:
    before = approved()
    after = machine.release(machine.redeem(before, "claim", NOW), "claim")
    assert after == before
    with pytest.raises(TicketExpired):
        machine.redeem(after, "again", deadline(before))


def test_an_approval_that_is_given_back_gives_the_try_back_too() -> None:
    """The code was right, or there would have been no claim: an outage consumes nothing, not even a try."""
    before = approved(code="07")
    claimed = machine.redeem(machine.count_try(before, NOW), "claim", NOW)
    assert machine.release(claimed, "claim") == before


def test_a_refused_account_ends_the_ticket() -> None:
    state = machine.refuse(machine.redeem(approved(), "claim", NOW), "claim").state
    assert isinstance(state, Rejected)
    assert state.reason == "policy"


@pytest.mark.parametrize(
    ("ticket", "status", "code"),
    [
        (approved(), "approved", None),
        (approved(code="07"), "approved", "07"),
        (machine.redeem(approved(code="07"), "claim", NOW), "approved", "07"),
        (machine.reject(scanned(), NOW), "rejected", None),
        (machine.exhaust(approved(code="07"), NOW), "approved", "07"),
        (machine.refuse(machine.redeem(approved(), "claim", NOW), "claim"), "approved", None),
        (machine.supersede(scanned()), None, None),
    ],
)
def test_a_repeated_call_is_told_what_the_first_was(ticket: Ticket, status: str | None, code: str | None) -> None:
    answer = machine.first_answer(ticket)
    assert (answer.status, answer.reverse_code) == (status, code)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_state_but_pending_knows_who_scanned(state: type[State]) -> None:
    assert machine.scanner(STATES[state]) == (None if state is Pending else (ZHANG, 1))


def test_a_ticket_superseded_before_anybody_scanned_it_has_no_scanner() -> None:
    assert machine.scanner(machine.supersede(a_ticket(now=START))) is None


def test_the_phone_is_told_its_steps() -> None:
    told = {purpose: machine.steps(a_ticket(purpose=purpose)) for purpose in Purpose}
    assert told == {
        Purpose.LOGIN: ("confirm",),
        Purpose.VERIFY: ("confirm",),
        Purpose.FACE: ("face", "confirm"),
        Purpose.DEVICE: ("compare", "confirm"),
    }


def test_an_event_out_of_place_names_itself_and_no_person() -> None:
    with pytest.raises(InvalidTransition) as fault:
        machine.count_try(scanned(), NOW)
    assert str(fault.value) == "count_try in Scanned"
    assert not isinstance(fault.value, BjidpError), "a bug is never an answer to a client"
