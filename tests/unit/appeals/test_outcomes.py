"""What follows a decision: nothing of it is lost, whoever is slow, silent or dead (RNV-8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
import structlog
from msgspec.structs import replace

from bjidp.accounts.endings import Endings
from bjidp.accounts.ports import Gone
from bjidp.accounts.telling import Teller, Told
from bjidp.appeals.appeal import TELL_FOR, State
from bjidp.appeals.outcomes import Outcomes
from bjidp.appeals.ports import AppealStore, Outcome
from bjidp.clock import SECOND, Instant, ManualClock
from bjidp.errors import StoreUnavailable
from bjidp.proofing.ports import PutOut
from bjidp.sessions.ports import SessionEnd
from bjidp.verification.number import MobileNumber

pytestmark = pytest.mark.req("RNV-8")

CLAIMANT, LOSER = (
    PutOut("one", "r1", "13800138000", Gone(("L1",))),
    PutOut("two", "r2", "13800138001", Gone((), ("M2",), ("agent",))),
)


class Kept:
    """Outcomes that are given until somebody says that they were told."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.waiting = {outcome.appeal: outcome for outcome in outcomes}
        self.down = False

    async def outcomes(self, now: Instant, limit: int) -> list[Outcome]:
        if self.down:
            raise StoreUnavailable
        return list(self.waiting.values())[:limit]

    async def told(self, appeal: str, now: Instant, *, loser: bool) -> None:
        outcome = self.waiting[appeal]
        self.waiting[appeal] = replace(outcome, loser=None) if loser else replace(outcome, claimant=None)

    async def followed(self, appeal: str) -> None:
        del self.waiting[appeal]


class Vendor:
    """A teller whose messages are taken, but for those to numbers that are not reached."""

    def __init__(self) -> None:
        self.sends = True
        self.unreached: set[str] = set()
        self.heard: list[tuple[str, Told]] = []

    async def reached(self, number: MobileNumber, what: Told) -> bool:
        if number.digits in self.unreached:
            return False
        self.heard.append((number.digits, what))
        return True


class Ended:
    """Endings that remember."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, SessionEnd]] = []
        self.told: list[str] = []

    async def end_after(self, account: str, keep: str | None, reason: SessionEnd, ref: str, gone: Gone) -> None:
        assert keep is None
        assert (ref, gone) in {(CLAIMANT.ref, CLAIMANT.gone), (LOSER.ref, replace(LOSER.gone, agents=()))}
        self.ended.append((account, reason))

    async def tell_agents(self, gone: Gone) -> None:
        self.told += gone.agents


class World:
    """Everything around the service."""

    def __init__(self, clock: ManualClock, outcomes: Sequence[Outcome]) -> None:
        self.kept, self.vendor, self.endings = Kept(*outcomes), Vendor(), Ended()
        self.service = Outcomes(
            appeals=cast("AppealStore", self.kept),
            endings=cast("Endings", self.endings),
            teller=cast("Teller", self.vendor),
            clock=clock,
        )


def granted(clock: ManualClock, appeal: str = "A1", *, exchanged: bool = False) -> Outcome:
    return Outcome(
        appeal=appeal,
        state=State.GRANTED,
        decided_at=clock.now(),
        exchanged=exchanged,
        claimant=CLAIMANT,
        loser=LOSER,
    )


async def test_both_are_told_and_the_losers_sessions_end(clock: ManualClock) -> None:
    world = World(clock, [granted(clock)])
    await world.service.once()
    assert world.vendor.heard == [(LOSER.phone, Told.IDENTITY_LOST), (CLAIMANT.phone, Told.APPEAL_GRANTED)]
    assert world.endings.ended == [(LOSER.account, SessionEnd.IDENTITY_LOST)]
    assert not world.kept.waiting
    await world.service.once()
    assert len(world.vendor.heard) == 2


async def test_where_another_identity_gave_way_the_accounts_own_sessions_end_too(clock: ManualClock) -> None:
    world = World(clock, [granted(clock, exchanged=True)])
    await world.service.once()
    assert world.endings.ended[1:] == [(CLAIMANT.account, SessionEnd.IDENTITY_EXCHANGED)]


async def test_a_refusal_is_told_to_whoever_appealed_alone(clock: ManualClock) -> None:
    world = World(clock, [replace(granted(clock), state=State.REFUSED, loser=None)])
    await world.service.once()
    assert world.vendor.heard == [(CLAIMANT.phone, Told.APPEAL_REFUSED)]
    assert not world.endings.ended


async def test_who_was_not_reached_is_told_again_and_nobody_else(clock: ManualClock) -> None:
    world = World(clock, [granted(clock)])
    world.vendor.unreached = {LOSER.phone or ""}
    await world.service.once()
    assert world.vendor.heard == [(CLAIMANT.phone, Told.APPEAL_GRANTED)]
    await world.service.once()
    assert world.endings.told == []
    world.vendor.unreached = set()
    await world.service.once()
    # Whoever has acted by the loser's word is told with them, once.
    assert world.endings.told == ["agent"]
    assert world.vendor.heard[1:] == [(LOSER.phone, Told.IDENTITY_LOST)]
    assert not world.kept.waiting


async def test_a_number_that_is_never_reached_is_given_up_after_days(clock: ManualClock) -> None:
    world = World(clock, [granted(clock)])
    world.vendor.unreached = {LOSER.phone or "", CLAIMANT.phone or ""}
    clock.advance(TELL_FOR // SECOND - 1)
    await world.service.once()
    assert world.kept.waiting
    clock.advance(1)
    with structlog.testing.capture_logs() as logged:
        await world.service.once()
    assert [line["event"] for line in logged] == ["outcome_given_up"]
    assert not world.kept.waiting


@pytest.mark.parametrize("sends", [True, False])
async def test_where_there_is_nobody_to_tell_or_to_send_the_notice_suffices(clock: ManualClock, sends: bool) -> None:
    silent = replace(granted(clock), claimant=replace(CLAIMANT, phone=None), loser=replace(LOSER, phone=None))
    world = World(clock, [silent if sends else granted(clock)])
    world.vendor.sends = sends
    await world.service.once()
    assert not world.vendor.heard
    assert world.endings.ended == [(LOSER.account, SessionEnd.IDENTITY_LOST)]
    assert not world.kept.waiting


async def test_a_fault_with_one_outcome_keeps_nothing_from_the_others(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(clock, [granted(clock), granted(clock, "A2")])
    told = world.kept.told

    async def broken(appeal: str, now: Instant, *, loser: bool) -> None:
        if appeal == "A1":
            raise LookupError(CLAIMANT.phone)
        await told(appeal, now, loser=loser)

    monkeypatch.setattr(world.kept, "told", broken)
    with structlog.testing.capture_logs() as logged:
        await world.service.once()
    assert set(world.kept.waiting) == {"A1"}
    assert [line["event"] for line in logged] == ["follow_up_failed"]
    assert "13800138000" not in repr(logged)
    world.kept.down = True
    with structlog.testing.capture_logs() as logged:
        await world.service.once()
    assert [line["event"] for line in logged] == ["follow_ups_put_off"]
