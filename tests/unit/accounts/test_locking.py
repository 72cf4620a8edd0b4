"""What follows a lock: nothing of it is lost, whoever is slow, silent or dead (OPS-7)."""

from __future__ import annotations

from typing import cast

import pytest
import structlog
from msgspec.structs import replace

from bjidp.accounts.endings import Endings
from bjidp.accounts.locking.following import Following
from bjidp.accounts.locking.lock import TELL_FOR, Change, again_at
from bjidp.accounts.locking.ports import LockStore
from bjidp.accounts.telling import Teller, Told
from bjidp.clock import MINUTE, SECOND, Instant, ManualClock
from bjidp.errors import StoreUnavailable
from bjidp.sessions.ports import SessionEnd
from bjidp.standing import Status
from bjidp.verification.number import MobileNumber

pytestmark = pytest.mark.req("OPS-7")


class Kept:
    """Changes that are given until somebody says that they were followed up."""

    def __init__(self, *changes: Change) -> None:
        self.waiting = {change.account: change for change in changes}
        self.down = False

    async def due(self, now: Instant, limit: int) -> list[Change]:
        if self.down:
            raise StoreUnavailable
        return list(self.waiting.values())[:limit]

    async def settled(self, change: Change, now: Instant) -> None:
        self.waiting[change.account] = replace(change, settled=True)

    async def followed(self, change: Change) -> None:
        del self.waiting[change.account]


class Vendor:
    """A teller that remembers, and reaches nobody while it is told so."""

    def __init__(self) -> None:
        self.sends = True
        self.away = False
        self.heard: list[tuple[str, Told]] = []

    async def reached(self, number: MobileNumber, what: Told) -> bool:
        if not self.away:
            self.heard.append((number.digits, what))
        return not self.away


class Ended:
    """Endings that remember."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, SessionEnd]] = []
        self.fault: Exception | None = None

    async def end_others(self, account: str, keep: str | None, reason: SessionEnd) -> None:
        if self.fault is not None:
            raise self.fault
        assert keep is None
        self.ended.append((account, reason))


class World:
    """Everything around the service."""

    def __init__(self, clock: ManualClock, *changes: Change) -> None:
        self.kept, self.vendor, self.endings = Kept(*changes), Vendor(), Ended()
        self.service = Following(
            locks=cast("LockStore", self.kept),
            endings=cast("Endings", self.endings),
            teller=cast("Teller", self.vendor),
            clock=clock,
        )


def change(clock: ManualClock, account: str = "one", status: Status = Status.LOCKED) -> Change:
    return Change(
        account=account, ref=f"r-{account}", status=status, at=clock.now(), phone="13800138000", settled=False
    )


async def test_a_lock_ends_sessions_wherever_they_are_and_both_turns_are_told(clock: ManualClock) -> None:
    world = World(clock, change(clock), change(clock, "two", Status.ACTIVE))
    await world.service.once()
    assert world.endings.ended == [("one", SessionEnd.LOCKED)], "who is unlocked has nothing to be ended"
    assert [what for _, what in world.vendor.heard] == [Told.ACCOUNT_LOCKED, Told.ACCOUNT_UNLOCKED]
    assert not world.kept.waiting


async def test_sessions_that_cannot_be_ended_are_tried_again_and_keep_nobody_else_waiting(clock: ManualClock) -> None:
    world = World(clock, change(clock), change(clock, "two", Status.ACTIVE))
    for fault in (StoreUnavailable(), RuntimeError("13800138000")):
        world.endings.fault = fault
        with structlog.testing.capture_logs() as logged:
            await world.service.once()
        assert "13800138000" not in str(logged)
    assert set(world.kept.waiting) == {"one"}
    world.endings.fault = None
    clock.advance(TELL_FOR // SECOND)
    await world.service.once()
    assert world.endings.ended == [("one", SessionEnd.LOCKED)], "however late"
    assert not world.kept.waiting


async def test_who_was_not_reached_is_told_again_for_three_days(clock: ManualClock) -> None:
    world = World(clock, change(clock))
    world.vendor.away = True
    for _ in range(2):
        await world.service.once()
    assert len(world.endings.ended) == 1, "what is ended is ended"
    assert world.kept.waiting
    clock.advance(TELL_FOR // SECOND)
    with structlog.testing.capture_logs() as logged:
        await world.service.once()
    assert not world.kept.waiting
    assert {"event": "lock_not_told", "account_ref": "r-one", "log_level": "error"} in logged


@pytest.mark.parametrize("lacks", ["a number", "a sender"])
async def test_where_nobody_can_be_told_the_notice_suffices(clock: ManualClock, lacks: str) -> None:
    world = World(clock, replace(change(clock), phone=None if lacks == "a number" else "13800138000"))
    world.vendor.sends = lacks != "a sender"
    await world.service.once()
    assert (world.vendor.heard, world.kept.waiting) == ([], {})


async def test_a_store_that_is_down_is_asked_again(clock: ManualClock) -> None:
    world = World(clock, change(clock))
    world.kept.down = True
    with structlog.testing.capture_logs() as logged:
        await world.service.once()
    assert logged == [{"event": "follow_ups_put_off", "of": "lock", "log_level": "warning"}]


def test_each_wait_is_longer_than_the_one_before() -> None:
    assert again_at(0, 0) == 10 * MINUTE
    assert again_at(0, 30 * MINUTE) == 90 * MINUTE
