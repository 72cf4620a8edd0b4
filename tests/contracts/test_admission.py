"""Who may log in: one rule, whichever way in is taken and whichever database is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bjidp.accounts.ports import Link
from bjidp.errors import AccountRefused
from bjidp.sessions.ports import ConfirmationOver
from bjidp.standing import Level, Standing, Status
from tests.contracts.house import TICKET, House, cookie

Way = Callable[[House, Link], Awaitable[object]]

WAYS: dict[str, Way] = {
    "a browser": lambda h, link: h.sessions.open(h.session(link.account), cookie("a"), None),
    "a browser, without a ticket": lambda h, link: h.sessions.open(
        h.session(link.account, h.login(ticket=None)), cookie("a"), None
    ),
    "a browser, its session elsewhere": lambda h, link: h.sql.accounts.admit(link.account, h.login(), "S", h.now),
    "a phone": lambda h, link: h.mini_sessions.open(h.mini_session(link)),
    "a phone, its session elsewhere": lambda h, link: h.sql.accounts.admit_mini(
        link.account, link.id, "wechat", "S", h.now
    ),
}


@pytest.mark.attack("Q21")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("status", Status)
async def test_every_way_in_refuses_exactly_who_stands_refused_and_writes_nothing_of_them(
    house: House, status: Status, way: Way
) -> None:
    link, standing = await house.someone()
    house.set_status(standing.account, status.value)
    expected = Standing(standing.account, standing.ref, status, standing.name, standing.level).refusal
    before = house.counts()
    refusal = None
    try:
        await way(house, link)
    except AccountRefused as refused:
        refusal = refused.reason
    assert refusal == expected
    assert (house.counts() == before) == (expected is not None)


@pytest.mark.attack("P7")
@pytest.mark.parametrize("ticket", [TICKET, None], ids=["by QR", "by a form"])
async def test_a_login_elsewhere_of_an_epoch_that_is_over_is_refused_and_nothing_is_written_of_it(
    house: House, ticket: bytes | None
) -> None:
    _, standing = await house.someone()
    await house.sql.accounts.outdate(standing.account)
    before = house.counts()
    with pytest.raises(ConfirmationOver):
        await house.sql.accounts.admit(standing.account, house.login(ticket=ticket), "S", house.now, standing.epoch)
    assert house.counts() == before
    await house.sql.accounts.admit(standing.account, house.login(ticket=ticket), "S", house.now, standing.epoch + 1)


@pytest.mark.attack("Q21")
@pytest.mark.parametrize("status", Status)
async def test_a_session_is_found_exactly_while_its_account_may_log_in(house: House, status: Status) -> None:
    _, standing = await house.someone()
    await house.sessions.open(house.session(standing.account), cookie("a"), None)
    house.set_status(standing.account, status.value)
    now = await house.accounts.standing(standing.account)
    assert now is not None
    assert now.status is status
    assert (await house.sessions.find(cookie("a"), house.now) is None) == (now.refusal is not None)


def test_only_an_active_account_may_log_in() -> None:
    assert {status: Standing("a", "r", status, "n", Level.L1).refusal for status in Status} == {
        Status.ACTIVE: None,
        Status.LOCKED: "locked",
        Status.CANCELLED: "cancelled",
    }
