"""The tickets of one page: renewal, overlap, superseding, numbers, watchers; and the machine under random events."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bjidp.clock import SECOND, Instant
from bjidp.errors import BjidpError
from bjidp.qrlogin import flow as flows
from bjidp.qrlogin import machine
from bjidp.qrlogin.flow import Flow, Watcher
from bjidp.qrlogin.machine import InvalidTransition
from bjidp.qrlogin.policy import Purpose
from bjidp.qrlogin.ticket import Approved, Holder, Pending, Redeemed, Rejected, Scanned, Superseded, Ticket, Verifying
from tests.support.qr import LI, POLICY, ZHANG, a_flow, a_ticket

START: Instant = 1_800_000_000_000


def at(seconds: float) -> Instant:
    return START + round(seconds * SECOND)


def fresh(name: str, seconds: float, *, slow: bool = False) -> Ticket:
    return a_ticket(name, at(seconds), slow=slow)


def a_page() -> Flow:
    return a_flow(fresh("0", 0))


def scan(flow: Flow, seconds: float, ticket: Ticket | None = None) -> Flow:
    held = machine.scan(ticket or flow.current, ZHANG, POLICY, at(seconds), code_required=False)
    return flows.put(flow, held, at(seconds))


def confirm(flow: Flow, seconds: float) -> Flow:
    return flows.put(flow, machine.confirm(flow.current, POLICY, at(seconds), code=None), at(seconds))


@pytest.mark.req("LOG-2")
def test_the_next_ticket_is_due_six_seconds_before_the_deadline() -> None:
    flow = a_page()
    assert flows.next_turn(flow, POLICY, at(0)) == at(54)
    assert not flows.renewal_due(flow, POLICY, at(53.999))
    assert flows.renewal_due(flow, POLICY, at(54))


@pytest.mark.req("LOG-2")
@pytest.mark.parametrize(("span", "due"), [(60, 54), (13, 7), (12, 6), (6, 3), (1, 0.5)])
def test_the_next_ticket_is_never_due_before_half_of_the_time_is_over(span: int, due: float) -> None:
    short = msgspec.structs.replace(POLICY, scan=span * SECOND)
    flow = a_flow(a_ticket("0", at(0), policy=short))
    assert flows.next_turn(flow, short, at(0)) == at(due)
    assert not flows.renewal_due(flow, short, at(due) - 1)
    assert flows.renewal_due(flow, short, at(due))


@pytest.mark.req("LOG-2")
def test_the_old_ticket_stays_good_beside_the_new_one_until_its_own_deadline() -> None:
    flow = flows.renew_ahead(a_page(), fresh("1", 54), POLICY, at(54))
    old, new = flow.tickets
    assert flow.current == new
    assert isinstance(old.state, Pending)
    assert machine.is_live(old, at(59.999))
    assert not machine.is_live(old, at(60))


def test_a_scan_of_the_old_one_supersedes_the_new_one() -> None:
    flow = flows.renew_ahead(a_page(), fresh("1", 54), POLICY, at(54))
    old, new = flow.tickets
    held = scan(flow, 58, old)
    assert held.current.id == old.id
    loser = held.ticket(new.id)
    assert loser is not None
    assert isinstance(loser.state, Superseded)
    assert held.seq == flow.seq + 1


def test_a_scan_of_the_new_one_supersedes_the_old_one_while_that_lives() -> None:
    flow = flows.renew_ahead(a_page(), fresh("1", 54), POLICY, at(54))
    early, late = scan(flow, 59.999), scan(flow, 60)
    assert isinstance(early.tickets[0].state, Superseded)
    assert isinstance(late.tickets[0].state, Pending), "its phone is told that it expired"


def test_the_next_but_one_ends_what_the_one_before_left() -> None:
    flow = flows.renew_ahead(a_page(), fresh("1", 54), POLICY, at(54))
    flow = flows.renew(flow, fresh("2", 55), POLICY, at(55))
    assert [type(ticket.state) for ticket in flow.tickets] == [Superseded, Superseded, Pending]


@pytest.mark.req("LOG-2")
def test_the_page_renews_by_itself_five_times_and_then_asks() -> None:
    flow, seconds = a_page(), 0.0
    for turn in range(1, 6):
        seconds += 54
        assert flows.renewal_due(flow, POLICY, at(seconds))
        flow = flows.renew_ahead(flow, fresh(str(turn), seconds), POLICY, at(seconds))
        assert flow.renewed == turn
    assert not flows.renewal_due(flow, POLICY, at(seconds + 1000))
    assert flows.next_turn(flow, POLICY, at(seconds)) == at(seconds + 60)
    assert flows.next_turn(flow, POLICY, at(seconds + 60)) is None
    asked = flows.renew(flow, fresh("asked", seconds + 70), POLICY, at(seconds + 70))
    assert asked.renewed == 0
    assert flows.renewal_due(asked, POLICY, at(seconds + 70 + 54))


def test_a_page_without_javascript_is_never_renewed_by_the_clock() -> None:
    flow = a_flow(fresh("0", 0, slow=True))
    assert not flows.renewal_due(flow, POLICY, at(100))
    assert flows.next_turn(flow, POLICY, at(0)) == at(60)
    assert not flows.renew(flow, fresh("1", 70), POLICY, at(70)).scriptless


@pytest.mark.parametrize("confirmed", [False, True])
def test_one_that_was_scanned_and_left_alone_is_renewed_at_its_deadline(confirmed: bool) -> None:
    flow = scan(a_page(), 5)
    end = 65.0
    if confirmed:
        flow, end = confirm(flow, 6), 36.0
    assert flows.next_turn(flow, POLICY, at(10)) == at(end)
    assert not flows.renewal_due(flow, POLICY, at(end - 0.001))
    assert flows.renewal_due(flow, POLICY, at(end))


def test_after_a_rejection_nothing_is_renewed_by_the_clock() -> None:
    flow = scan(a_page(), 5)
    flow = flows.put(flow, machine.reject(flow.current, at(6)), at(6))
    assert flows.next_turn(flow, POLICY, at(6)) is None
    assert not flows.renewal_due(flow, POLICY, at(1000))
    assert flows.may_renew(flow, at(6))


@pytest.mark.parametrize(
    ("seconds", "confirmed", "redeemed", "allowed"),
    [(5, False, False, True), (35.999, True, False, False), (36, True, False, True), (1000, True, True, False)],
)
def test_the_person_may_ask_for_a_new_code_unless_an_approval_waits(
    seconds: float, confirmed: bool, redeemed: bool, allowed: bool
) -> None:
    flow = scan(a_page(), 5)
    if confirmed:
        flow = confirm(flow, 6)
    if redeemed:
        flow = flows.put(flow, machine.redeem(flow.current, "claim", at(7)), at(7))
    assert flows.may_renew(flow, at(seconds)) is allowed


def test_a_flow_remembers_four_tickets() -> None:
    flow = a_page()
    for turn in range(1, 10):
        flow = flows.renew(flow, fresh(str(turn), turn), POLICY, at(turn))
        assert len(flow.tickets) == min(turn + 1, 4)
    assert [ticket.id for ticket in flow.tickets] == [fresh(str(turn), 0).id for turn in (6, 7, 8, 9)]


@pytest.mark.attack("W9")
def test_two_may_watch_and_a_third_sends_the_oldest_away() -> None:
    flow = a_page()
    for name in ("a", "b", "c"):
        flow = flows.watch(flow, Watcher("inbox", name), POLICY, announce=True)
    assert [flows.is_watched_by(flow, name) for name in ("a", "b", "c")] == [False, True, True]
    assert [watcher.id for watcher in flows.unwatch(flow, "b").watchers] == ["c"]
    assert flows.unwatch(flow, "nobody") == flow
    assert flow.seq == 3


@pytest.mark.req("LOG-2")
@pytest.mark.attack("W9")
def test_the_page_opened_first_has_to_go_in_whatever_order_they_come_back() -> None:
    flow = a_page()
    for name, opened in (("third", 30), ("first", 10), ("second", 20)):
        flow = flows.watch(flow, Watcher("inbox", name, opened), POLICY, announce=True)
    assert [watcher.id for watcher in flow.watchers] == ["second", "third"]


@pytest.mark.attack("W9", "W11")
def test_a_page_that_comes_back_takes_the_place_its_dead_process_left() -> None:
    """Nobody clears the watchers of a process that was killed; they must not keep its own pages out."""
    flow = a_page()
    for name, opened in (("a-dead", 10), ("b-dead", 20), ("b", 20), ("a", 10)):
        flow = flows.watch(flow, Watcher("inbox", name, opened), POLICY, announce=True)
    assert {watcher.id for watcher in flow.watchers} == {"a", "b"}


def test_a_new_secret_and_an_end_send_all_watchers_away() -> None:
    flow = flows.watch(a_page(), Watcher("inbox", "a"), POLICY, announce=False)
    rotated = flows.rotate(flow, 2)
    assert (rotated.epoch, rotated.watchers, rotated.tickets) == (2, (), flow.tickets)
    closed = flows.close(flow)
    assert (closed.ended, closed.watchers) == (True, ())


def test_a_page_that_polls_gives_the_message_no_new_number() -> None:
    assert flows.watch(a_page(), Watcher("inbox", "a"), POLICY, announce=False).seq == 0


def test_a_ticket_of_another_page_is_not_put() -> None:
    with pytest.raises(ValueError):
        flows.put(a_page(), fresh("stranger", 0), at(0))


def test_what_the_page_does_not_hear_takes_no_number() -> None:
    flow = scan(a_page(), 1)
    for changed in (
        machine.scan(flow.current, ZHANG, POLICY, at(2), code_required=False),
        machine.start_face(flow.current, "v", at(2)),
    ):
        assert flows.put(flow, changed, at(2)).seq == flow.seq
    approved = confirm(flow, 3)
    assert approved.seq == flow.seq + 1
    redeemed = flows.put(approved, machine.redeem(approved.current, "claim", at(4)), at(4))
    assert redeemed.seq == approved.seq
    released = flows.put(redeemed, machine.release(redeemed.current, "claim"), at(5))
    assert released.seq == approved.seq + 1


def test_a_page_that_saw_a_ticket_run_out_finds_its_number_free() -> None:
    flow = a_page()
    assert flows.renew(flow, fresh("1", 59.999), POLICY, at(59.999)).seq == flow.seq + 1
    assert flows.renew(flow, fresh("1", 60), POLICY, at(60)).seq == flow.seq + 2


TERMINAL = (Redeemed, Rejected, Superseded)


class RandomEvents(RuleBasedStateMachine):
    """Phones, pages, the clock and the redeem do anything in any order; the promises of the machine hold.

    What a rule tries may be refused; a refusal changes nothing.
    """

    @initialize(purpose=st.sampled_from([Purpose.LOGIN, Purpose.FACE]))
    def open(self, purpose: Purpose) -> None:
        self.now = START
        self.purpose = purpose
        self.count = 0
        self.flow = a_flow(self.issue())
        self.redeemed: set[str] = set()
        self.claims: dict[str, str] = {}

    def issue(self) -> Ticket:
        self.count += 1
        return a_ticket(str(self.count), self.now, purpose=self.purpose)

    def change(self, flow: Flow) -> None:
        """Take a change over as a store would, and hold it to what no change may do."""
        for after in flow.tickets:
            before = self.flow.ticket(after.id)
            if before is None:
                assert isinstance(after.state, Pending)
                continue
            if isinstance(before.state, TERMINAL) and after != before:
                assert isinstance(before.state, Redeemed), "terminal stays terminal"
                assert isinstance(after.state, Approved | Rejected)
                assert self.claims[after.id] == before.state.claim, "but for the claim that won"
            if type(before.state) is type(after.state) or (
                isinstance(before.state, Scanned | Verifying) and isinstance(after.state, Scanned | Verifying)
            ):
                assert machine.deadline(after) == machine.deadline(before), "nothing prolongs a phase"
        assert flow.seq >= self.flow.seq
        self.flow = flow

    def attempt(self, ticket: Ticket, changed: Ticket) -> None:
        self.change(flows.put(self.flow, changed, self.now))
        assert self.flow.current.id == ticket.id

    @rule(seconds=st.one_of(st.floats(0, 10), st.sampled_from([30, 54, 60, 90, 180])))
    def wait(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)

    @rule(which=st.integers(0, 3), holder=st.sampled_from([ZHANG, LI]), code=st.booleans())
    def scan(self, which: int, holder: Holder, code: bool) -> None:
        ticket = self.flow.tickets[which % len(self.flow.tickets)]
        try:
            self.attempt(ticket, machine.scan(ticket, holder, POLICY, self.now, code_required=code))
        except BjidpError:
            assert not (isinstance(ticket.state, Pending) and machine.is_live(ticket, self.now))

    @rule(which=st.integers(0, 3), step=st.sampled_from(["start_face", "pass_face", "confirm", "reject"]))
    def act_on_the_phone(self, which: int, step: str) -> None:
        ticket = self.flow.tickets[which % len(self.flow.tickets)]
        code = "07" if isinstance(ticket.state, Scanned | Verifying) and ticket.state.code_required else None
        try:
            match step:
                case "start_face":
                    changed = machine.start_face(ticket, "v", self.now)
                case "pass_face":
                    changed = machine.pass_face(ticket, "v", self.now)
                case "confirm":
                    changed = machine.confirm(ticket, POLICY, self.now, code=code)
                case _:
                    changed = machine.reject(ticket, self.now)
        except BjidpError:
            return
        assert isinstance(ticket.state, Scanned | Verifying)
        assert machine.is_live(ticket, self.now)
        self.attempt(ticket, changed)

    @rule(which=st.integers(0, 3), claim=st.sampled_from(["one", "two"]))
    def redeem(self, which: int, claim: str) -> None:
        ticket = self.flow.tickets[which % len(self.flow.tickets)]
        try:
            if isinstance(ticket.state, Approved) and ticket.state.code is not None:
                counted = machine.count_try(ticket, self.now)
                self.attempt(ticket, counted)
                ticket = counted
            changed = machine.redeem(ticket, claim, self.now)
        except (BjidpError, InvalidTransition):
            return
        self.attempt(ticket, changed)
        self.claims[ticket.id] = claim
        self.redeemed.add(ticket.id)

    @rule(which=st.integers(0, 3), claim=st.sampled_from(["one", "two"]), back=st.booleans())
    def settle(self, which: int, claim: str, back: bool) -> None:
        ticket = self.flow.tickets[which % len(self.flow.tickets)]
        try:
            changed = machine.release(ticket, claim) if back else machine.refuse(ticket, claim)
        except InvalidTransition:
            return
        self.attempt(ticket, changed)
        self.redeemed.discard(ticket.id)

    @rule(which=st.integers(0, 3))
    def guess_wrong(self, which: int) -> None:
        ticket = self.flow.tickets[which % len(self.flow.tickets)]
        try:
            counted = machine.count_try(ticket, self.now)
        except (BjidpError, InvalidTransition):
            return
        self.attempt(ticket, counted)
        assert isinstance(counted.state, Approved)
        if counted.state.tries_left == 0:
            self.attempt(counted, machine.exhaust(counted, self.now))

    @precondition(lambda self: flows.may_renew(self.flow, self.now))
    @rule()
    def ask_for_a_new_code(self) -> None:
        self.change(flows.renew(self.flow, self.issue(), POLICY, self.now))

    @precondition(lambda self: flows.renewal_due(self.flow, POLICY, self.now))
    @rule()
    def renew_by_the_clock(self) -> None:
        renewed = self.flow.renewed
        self.change(flows.renew_ahead(self.flow, self.issue(), POLICY, self.now))
        assert self.flow.renewed == renewed + 1 <= POLICY.renewals

    @rule(name=st.sampled_from("abcd"), announce=st.booleans())
    def watch(self, name: str, announce: bool) -> None:
        self.change(flows.watch(self.flow, Watcher("inbox", name), POLICY, announce=announce))

    @invariant()
    def at_most_one_approval_or_session_lives(self) -> None:
        live = [
            ticket
            for ticket in self.flow.tickets
            if isinstance(ticket.state, Redeemed)
            or (isinstance(ticket.state, Approved) and machine.is_live(ticket, self.now))
        ]
        assert len(live) <= 1
        assert live in ([], [self.flow.current])

    @invariant()
    def at_most_one_was_redeemed(self) -> None:
        assert len(self.redeemed) <= 1

    @invariant()
    def at_most_one_is_held_and_only_an_unscanned_one_overlaps(self) -> None:
        live = [type(ticket.state) for ticket in self.flow.tickets if machine.is_live(ticket, self.now)]
        assert len(live) <= 2
        assert len(live) < 2 or live == [Pending, Pending]

    @invariant()
    def no_ticket_outlives_the_cap(self) -> None:
        cap = 330 if self.purpose is Purpose.FACE else 240
        for ticket in self.flow.tickets:
            end = machine.deadline(ticket)
            assert end is None or end <= ticket.issued_at + cap * SECOND

    @invariant()
    def memory_is_bounded(self) -> None:
        assert len(self.flow.tickets) <= POLICY.remembered
        assert len(self.flow.watchers) <= POLICY.watchers

    @invariant()
    def the_tries_never_exceed_three(self) -> None:
        for ticket in self.flow.tickets:
            if isinstance(ticket.state, Approved):
                assert 0 <= ticket.state.tries_left <= POLICY.code_tries


TestRandomEvents = RandomEvents.TestCase
TestRandomEvents.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestRandomEvents.pytestmark = [pytest.mark.attack("Q3", "Q13", "Q14", "Q15")]  # type: ignore[attr-defined]
