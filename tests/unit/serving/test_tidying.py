"""Cleaning up: whole, in pieces, and whatever one part of it runs into."""

from __future__ import annotations

from typing import cast

import pytest
import structlog

from bjidp.accounts.member_ports import MemberStore
from bjidp.accounts.national.ports import WishStore
from bjidp.accounts.ports import AccountStore
from bjidp.appeals.ports import AppealStore
from bjidp.clock import DAY, Instant, ManualClock
from bjidp.errors import StoreUnavailable
from bjidp.miniprogram.ports import MiniSessionStore
from bjidp.oidc.ports import GrantStore, LogoutOutbox
from bjidp.organisations.ports import OrganisationStore
from bjidp.proofing.ports import CheckStore, IdentityStore, Worn
from bjidp.serving.tidying import AT_ONCE, Tidying
from bjidp.sessions.ports import SessionStore


class Heap:
    """A store with rows that are over, or a fault."""

    def __init__(self, rows: int = 0, fault: Exception | None = None) -> None:
        self.rows = rows
        self.fault = fault
        self.asked: list[Instant] = []

    async def purge(self, now: Instant, limit: int) -> int:
        self.asked.append(now)
        if self.fault is not None:
            raise self.fault
        gone = min(self.rows, limit)
        self.rows -= gone
        return gone

    forget_networks = purge
    forget = purge

    async def settle(self, now: Instant, limit: int) -> int:
        """Tell that nothing is owed."""
        return 0

    async def end_fenced(self, now: Instant, limit: int) -> int:
        """End what a fence is past, which is of the same heap."""
        return await self.purge(now, limit)

    async def wear(self, now: Instant, limit: int) -> Worn:
        """Tell seven at once, whatever the limit."""
        told = await self.purge(now, min(limit, 7))
        return Worn(told, more=self.rows > 0)


class Told:
    """What accounts and relying parties were told."""

    def __init__(self, rows: int = 0) -> None:
        self.notices = Heap(rows)
        self.logouts = Heap(rows)
        self.forget_notices = self.notices.purge


class Appeals:
    """Closed appeals, and their pictures."""

    def __init__(self, rows: int = 0) -> None:
        self.closed = Heap(rows)
        self.pictures = Heap(rows)
        self.forget = self.closed.purge
        self.forget_attachments = self.pictures.purge


def tidying(
    clock: ManualClock,
    sessions: Heap,
    mini_sessions: Heap,
    accounts: Heap,
    members: Told | None = None,
    identities: Heap | None = None,
    checks: Heap | None = None,
    organisations: Heap | None = None,
    appeals: Appeals | None = None,
    grants: Heap | None = None,
    wishes: Heap | None = None,
) -> Tidying:
    return Tidying(
        sessions=cast("SessionStore", sessions),
        grants=cast("GrantStore", grants or Heap()),
        logouts=cast("LogoutOutbox", (members or Told()).logouts),
        mini_sessions=cast("MiniSessionStore", mini_sessions),
        accounts=cast("AccountStore", accounts),
        members=cast("MemberStore", members or Told()),
        wishes=cast("WishStore", wishes or Heap()),
        identities=cast("IdentityStore", identities or Heap()),
        checks=cast("CheckStore", checks or Heap()),
        organisations=cast("OrganisationStore", organisations or Heap()),
        appeals=cast("AppealStore", appeals or Appeals()),
        clock=clock,
    )


@pytest.mark.req("PRV-4")
@pytest.mark.parametrize("rows", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 7 * AT_ONCE])
async def test_a_backlog_is_cleared_in_pieces(clock: ManualClock, rows: int) -> None:
    heaps, told = (Heap(rows), Heap(rows), Heap(rows)), Told(rows)
    await tidying(clock, *heaps, told).once()
    for heap in (*heaps, told.notices, told.logouts):
        assert (heap.rows, len(heap.asked)) == (0, rows // AT_ONCE + 1)


@pytest.mark.req("RNV-1")
@pytest.mark.parametrize("rows", [0, 7, 15])
async def test_whose_documents_have_run_out_are_told_until_there_are_no_more(clock: ManualClock, rows: int) -> None:
    identities = Heap(rows)
    await tidying(clock, Heap(), Heap(), Heap(), identities=identities).once()
    assert (identities.rows, len(identities.asked)) == (0, max(1, -(-rows // 7)))


@pytest.mark.req("PRV-4")
async def test_a_network_is_kept_for_half_a_year(clock: ManualClock) -> None:
    sessions, accounts = Heap(), Heap()
    await tidying(clock, sessions, Heap(), accounts).once()
    assert (sessions.asked, accounts.asked) == ([clock.now()], [clock.now() - 180 * DAY])


@pytest.mark.req("PRV-4", "REG-1")
async def test_a_wish_waits_for_an_identity_for_a_month(clock: ManualClock) -> None:
    wishes = Heap(AT_ONCE)
    await tidying(clock, Heap(), Heap(), Heap(), wishes=wishes).once()
    assert (wishes.rows, wishes.asked) == (0, [clock.now() - 30 * DAY] * 2)


@pytest.mark.req("PRV-4")
async def test_a_notice_is_kept_for_half_a_year_and_one_of_a_logout_for_a_month(clock: ManualClock) -> None:
    told = Told()
    await tidying(clock, Heap(), Heap(), Heap(), told).once()
    assert told.notices.asked == [clock.now() - 180 * DAY]
    assert told.logouts.asked == [clock.now() - 30 * DAY]


@pytest.mark.req("PRV-4", "RNV-1")
async def test_a_question_is_kept_for_two_days_and_documents_are_looked_at_today(clock: ManualClock) -> None:
    identities, checks = Heap(), Heap()
    await tidying(clock, Heap(), Heap(), Heap(), identities=identities, checks=checks).once()
    assert (checks.asked, identities.asked) == ([clock.now() - 2 * DAY], [clock.now()])


@pytest.mark.req("PRV-4", "ORG-2")
async def test_a_mandate_that_is_over_can_be_looked_at_for_a_month(clock: ManualClock) -> None:
    organisations = Heap()
    await tidying(clock, Heap(), Heap(), Heap(), organisations=organisations).once()
    assert organisations.asked == [clock.now() - 30 * DAY]


@pytest.mark.attack("O5")
async def test_what_fails_is_logged_and_keeps_nothing_else_from_being_cleaned(clock: ManualClock) -> None:
    networks = Heap(AT_ONCE + 1)
    broken = LookupError("张三 110101199003074530")
    with structlog.testing.capture_logs() as logged:
        await tidying(clock, Heap(fault=StoreUnavailable()), Heap(fault=broken), networks).once()
    assert networks.rows == 0
    assert [(line["event"], line["what"]) for line in logged] == [
        ("tidying_put_off", "sessions"),
        ("tidying_failed", "mini_sessions"),
    ]
    assert logged[1]["kind"] == "LookupError"
    assert any("purge" in place for place in logged[1]["places"])
    assert "张三" not in repr(logged)


@pytest.mark.req("PRV-4", "RNV-8")
async def test_pictures_are_kept_for_a_month_after_a_decision_and_appeals_for_half_a_year(clock: ManualClock) -> None:
    appeals = Appeals(AT_ONCE + 1)
    await tidying(clock, Heap(), Heap(), Heap(), appeals=appeals).once()
    assert appeals.pictures.asked == [clock.now() - 30 * DAY] * 2
    assert appeals.closed.asked == [clock.now() - 180 * DAY] * 2
    assert (appeals.pictures.rows, appeals.closed.rows) == (0, 0)
