"""What every ticket store promises (``bjidp.qrlogin.ports``)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import msgspec
import pytest

from bjidp.clock import MINUTE, SECOND, Instant, ManualClock
from bjidp.qrlogin import flow as flows
from bjidp.qrlogin import machine
from bjidp.qrlogin.changes import FlowChanges
from bjidp.qrlogin.errors import TicketClosed, TicketTaken
from bjidp.qrlogin.flow import Flow, Watcher
from bjidp.qrlogin.policy import Purpose
from bjidp.qrlogin.ports import TicketStore
from bjidp.qrlogin.ticket import Approved, Rejected, Ticket
from bjidp.records import DuplicateRecord, Held, StaleRecord
from bjidp.sessions.authentication import Authenticated, Method
from tests.contracts.ephemeral import Processes
from tests.support.qr import LI, POLICY, ZHANG, a_device_ticket, a_flow, a_ticket, ticket_id

LIFETIME = 20 * MINUTE


@pytest.fixture
def store(processes: Processes) -> TicketStore:
    return processes.here.tickets


async def _outcome(act: Awaitable[object]) -> object:
    try:
        return await act
    except (DuplicateRecord, StaleRecord) as lost:
        return type(lost)


async def _read(store: TicketStore, flow: str = "flow") -> Held[Flow]:
    held = await store.read(flow)
    assert held is not None
    return held


def _every_state(now: Instant) -> list[Ticket]:
    def scanned(code: bool = False) -> Ticket:
        return machine.scan(a_ticket(now=now), ZHANG, POLICY, now + 1, code_required=code)

    verifying = machine.start_face(scanned(), "verification", now + 2)
    approved = machine.confirm(scanned(code=True), POLICY, now + 3, code="07")
    return [
        a_ticket(now=now),
        a_ticket(now=now, purpose=Purpose.FACE, slow=True),
        a_device_ticket(now=now, face=True),
        machine.confirm(
            machine.scan(a_device_ticket(now=now), ZHANG, POLICY, now + 1, code_required=False),
            POLICY,
            now + 3,
            code=None,
            authenticated=Authenticated(now, (Method.PASSWORD, Method.SMS)),
        ),
        scanned(),
        verifying,
        machine.pass_face(verifying, "verification", now + 3),
        approved,
        machine.redeem(approved, "claim", now + 4),
        machine.reject(scanned(), now + 3),
        machine.refuse(machine.redeem(approved, "claim", now + 4), "claim"),
        machine.supersede(a_ticket(now=now)),
        machine.supersede(scanned()),
    ]


@pytest.mark.parametrize("which", range(11))
async def test_a_flow_comes_back_as_it_was_kept(store: TicketStore, clock: ManualClock, which: int) -> None:
    flow = flows.watch(a_flow(_every_state(clock.now())[which]), Watcher("inbox", "watcher"), POLICY, announce=True)
    await store.add(flow, LIFETIME)
    held = await _read(store)
    assert held.value == flow
    assert held.now == clock.now() == await store.now()


async def test_a_flow_without_a_known_area_comes_back_as_it_was_kept(store: TicketStore, clock: ManualClock) -> None:
    ticket = a_ticket(now=clock.now())
    ticket = msgspec.structs.replace(ticket, computer=msgspec.structs.replace(ticket.computer, area=None))
    await store.add(a_flow(ticket), LIFETIME)
    assert (await _read(store)).value.current.computer.area is None


async def test_absent_flows_and_tickets_are_none(store: TicketStore) -> None:
    assert await store.read("flow") is None
    assert await store.find(ticket_id("first")) is None


async def test_a_live_flow_is_refused_a_second_time_and_stays_as_it_was(
    processes: Processes, clock: ManualClock
) -> None:
    flow = a_flow(a_ticket(now=clock.now()))
    await processes.here.tickets.add(flow, LIFETIME)
    with pytest.raises(DuplicateRecord):
        await processes.there.tickets.add(a_flow(a_ticket("other", clock.now())), LIFETIME)
    assert (await _read(processes.here.tickets)).value == flow
    for place in (processes.here, processes.there):
        assert await place.tickets.find(ticket_id("other")) is None


async def test_a_flow_is_live_until_its_deadline_and_not_at_it(store: TicketStore, clock: ManualClock) -> None:
    await store.add(a_flow(a_ticket(now=clock.now())), LIFETIME)
    held = await _read(store)
    clock.advance(LIFETIME / SECOND - 0.001)
    assert await store.find(ticket_id("first")) is not None
    clock.advance(0.001)
    assert await store.read("flow") is None
    assert await store.find(ticket_id("first")) is None
    with pytest.raises(StaleRecord):
        await store.replace(held.value, held.version, LIFETIME)
    fresh = a_flow(a_ticket("second", clock.now()))
    await store.add(fresh, LIFETIME)
    assert (await _read(store)).value == fresh
    assert await store.find(ticket_id("first")) is None


async def test_a_replacement_starts_the_lifetime_anew(store: TicketStore, clock: ManualClock) -> None:
    await store.add(a_flow(a_ticket(now=clock.now())), LIFETIME)
    for _ in range(5):
        clock.advance(15 * 60)
        held = await _read(store)
        await store.replace(held.value, held.version, LIFETIME)
        assert await store.find(ticket_id("first")) is not None


@pytest.mark.attack("Q6")
async def test_a_stale_replacement_changes_nothing(processes: Processes, clock: ManualClock) -> None:
    store, other = processes.here.tickets, processes.there.tickets
    await store.add(a_flow(a_ticket(now=clock.now())), LIFETIME)
    old = await _read(store)
    scanned = machine.scan(old.value.current, ZHANG, POLICY, clock.now(), code_required=False)
    changed = flows.put(old.value, scanned, clock.now())
    version = await other.replace(changed, old.version, LIFETIME)
    assert version > old.version
    late = flows.renew(old.value, a_ticket("late", clock.now()), POLICY, clock.now())
    with pytest.raises(StaleRecord):
        await store.replace(late, old.version, LIFETIME)
    held = await _read(store)
    assert (held.value, held.version) == (changed, version)
    for place in (store, other):
        assert await place.find(ticket_id("late")) is None


async def test_nothing_is_replaced_where_nothing_is(store: TicketStore, clock: ManualClock) -> None:
    with pytest.raises(StaleRecord):
        await store.replace(a_flow(a_ticket(now=clock.now())), 1, LIFETIME)
    assert await store.read("flow") is None
    assert await store.find(ticket_id("first")) is None


@pytest.mark.attack("Q6")
async def test_what_was_decided_on_a_former_flow_does_not_fit_a_new_one(store: TicketStore, clock: ManualClock) -> None:
    await store.add(a_flow(a_ticket(now=clock.now())), LIFETIME)
    former = await _read(store)
    clock.advance(LIFETIME / SECOND)
    fresh = a_flow(a_ticket("second", clock.now()))
    await store.add(fresh, LIFETIME)
    with pytest.raises(StaleRecord):
        await store.replace(former.value, former.version, LIFETIME)
    assert (await _read(store)).value == fresh


@pytest.mark.attack("Q15")
@pytest.mark.parametrize(("late", "written"), [(-1, True), (0, False), (1, False)])
async def test_a_change_is_refused_once_the_clock_has_reached_its_deadline(
    store: TicketStore, clock: ManualClock, late: int, written: bool
) -> None:
    await store.add(a_flow(a_ticket(now=clock.now())), LIFETIME)
    held = await _read(store)
    deadline = clock.now() + MINUTE
    changed = flows.rotate(held.value, 2)
    clock.advance(60 + late / SECOND)
    outcome = await _outcome(store.replace(changed, held.version, LIFETIME, before=deadline))
    assert (outcome is not StaleRecord) is written
    after = await _read(store)
    assert (after.value == changed) is written
    assert (after.version == held.version) is not written


async def test_a_flow_is_found_by_every_ticket_it_remembers_and_by_no_other(
    processes: Processes, clock: ManualClock
) -> None:
    store, other = processes.here.tickets, processes.there.tickets
    await store.add(a_flow(a_ticket("0", clock.now())), LIFETIME)
    for turn in range(1, 8):
        # The two processes renew in turn, and both have found every ticket before.
        writer = (store, other)[turn % 2]
        held = await _read(writer)
        ticket = a_ticket(str(turn), clock.now())
        await writer.replace(flows.renew(held.value, ticket, POLICY, clock.now()), held.version, LIFETIME)
        remembered = range(max(0, turn - POLICY.remembered + 1), turn + 1)
        for place in (store, other):
            found = [number for number in range(turn + 1) if await place.find(ticket_id(str(number))) is not None]
            assert found == list(remembered)


async def test_a_ticket_renewed_by_one_process_is_found_by_another(processes: Processes, clock: ManualClock) -> None:
    await processes.here.tickets.add(a_flow(a_ticket(now=clock.now())), LIFETIME)
    held = await _read(processes.here.tickets)
    renewed = flows.renew(held.value, a_ticket("second", clock.now()), POLICY, clock.now())
    await processes.here.tickets.replace(renewed, held.version, LIFETIME)
    found = await processes.there.tickets.find(ticket_id("second"))
    assert found is not None
    assert found.value == renewed


@pytest.mark.attack("Q4")
async def test_of_sixteen_who_replace_one_wins(processes: Processes, clock: ManualClock) -> None:
    await processes.here.tickets.add(a_flow(a_ticket(now=clock.now())), LIFETIME)
    held = await _read(processes.here.tickets)
    outcomes = await asyncio.gather(
        *(
            _outcome(place.tickets.replace(flows.rotate(held.value, turn + 2), held.version, LIFETIME))
            for turn, place in enumerate(processes.both(16))
        )
    )
    assert outcomes.count(StaleRecord) == 15
    winner = next(turn for turn, outcome in enumerate(outcomes) if outcome is not StaleRecord)
    assert (await _read(processes.there.tickets)).value.epoch == winner + 2


async def test_of_sixteen_who_add_one_wins(processes: Processes, clock: ManualClock) -> None:
    outcomes = await asyncio.gather(
        *(
            _outcome(place.tickets.add(a_flow(a_ticket(str(turn), clock.now())), LIFETIME))
            for turn, place in enumerate(processes.both(16))
        )
    )
    assert outcomes.count(DuplicateRecord) == 15
    winner = outcomes.index(None)
    assert (await _read(processes.here.tickets)).value.current.id == ticket_id(str(winner))
    found = [turn for turn in range(16) if await processes.there.tickets.find(ticket_id(str(turn))) is not None]
    assert found == [winner]


@pytest.mark.attack("Q5")
async def test_of_twenty_phones_that_scan_at_once_one_holds_the_ticket(
    processes: Processes, clock: ManualClock
) -> None:
    await processes.here.tickets.add(a_flow(a_ticket(now=clock.now())), LIFETIME)
    holders = [msgspec.structs.replace(LI, account=f"account-{turn}", link=f"link-{turn}") for turn in range(20)]

    async def scan(turn: int) -> bool:
        place = processes.both(20)[turn]
        changes = FlowChanges(place.tickets, place.signals)
        try:
            await changes.on_ticket(
                ticket_id("first"),
                lambda found, now: machine.scan(found, holders[turn], POLICY, now, code_required=False),
            )
        except TicketTaken:
            return False
        return True

    won = await asyncio.gather(*(scan(turn) for turn in range(20)))
    assert won.count(True) == 1
    found = machine.scanner((await _read(processes.here.tickets)).value.current)
    assert found == (holders[won.index(True)], 1)


@pytest.mark.attack("Q5", "Q14")
async def test_approving_and_rejecting_at_once_leave_one_outcome(processes: Processes, clock: ManualClock) -> None:
    for turn in range(10):
        ticket = machine.scan(a_ticket(str(turn), clock.now()), ZHANG, POLICY, clock.now(), code_required=False)
        await processes.here.tickets.add(a_flow(ticket, f"flow-{turn}"), LIFETIME)

        async def confirm(name: str) -> bool:
            changes = FlowChanges(processes.here.tickets, processes.here.signals)
            try:
                await changes.on_ticket(
                    ticket_id(name), lambda found, now: machine.confirm(found, POLICY, now, code=None)
                )
            except TicketClosed:
                return False
            return True

        async def reject(name: str) -> bool:
            changes = FlowChanges(processes.there.tickets, processes.there.signals)
            try:
                await changes.on_ticket(ticket_id(name), machine.reject)
            except TicketClosed:
                return False
            return True

        acts = [confirm(str(turn)), reject(str(turn))]
        outcomes = await asyncio.gather(*(acts if turn % 2 else acts[::-1]))
        confirmed, rejected = outcomes if turn % 2 else outcomes[::-1]
        assert confirmed is not rejected
        state = (await _read(processes.here.tickets, f"flow-{turn}")).value.current.state
        assert isinstance(state, Approved if confirmed else Rejected)
