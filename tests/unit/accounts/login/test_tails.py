"""The login by a number that may be somebody else's by now: how the end of a document is not guessed.

Every test runs on SQLite with what is short-lived in memory, and again with that and the sessions in Redis.
"""

from __future__ import annotations

import asyncio

import pytest

from bjidp.accounts.drafts import DraftUnknown
from bjidp.accounts.errors import TailSpent
from bjidp.accounts.login.flow import Proved
from bjidp.accounts.login.tails import TailWindows
from bjidp.clock import DAY, MINUTE
from bjidp.errors import RateLimited
from bjidp.throttle.ports import Window
from bjidp.throttle.source import Source
from tests.unit.accounts.login.room import HERE, HOLDER, OTHER_PHONE, Room


@pytest.mark.req("LOG-6")
@pytest.mark.attack("O1", "O4")
async def test_the_end_of_one_accounts_document_is_tried_so_often_from_wherever(room: Room) -> None:
    _, document = await room.someone_long_away()
    tails = room.tails(TailWindows(account=Window(2, DAY)))
    flow = await room.at_the_tail()
    for number in range(2):
        assert isinstance(await tails.check(HOLDER, flow, "0000", Source(f"address {number}")), int)
    with pytest.raises(RateLimited):
        await tails.check(HOLDER, flow, document[-4:], HERE)


@pytest.mark.req("LOG-6")
@pytest.mark.attack("O1", "O4")
async def test_one_address_tries_so_many_ends_of_documents(room: Room) -> None:
    _, document = await room.someone_long_away()
    tails = room.tails(TailWindows(source=Window(2, 15 * MINUTE)))
    flow = await room.at_the_tail()
    for _ in range(2):
        assert isinstance(await tails.check(HOLDER, flow, "0000", HERE), int)
    with pytest.raises(RateLimited):
        await tails.check(HOLDER, flow, document[-4:], HERE)
    assert isinstance(await tails.check(HOLDER, flow, document[-4:], Source("elsewhere")), Proved)


@pytest.mark.req("LOG-6")
@pytest.mark.attack("T3")
async def test_a_number_that_the_account_gave_up_meanwhile_logs_nobody_in(room: Room) -> None:
    account, document = await room.someone_long_away()
    tails = room.tails()
    flow = await room.at_the_tail()
    await room.sql.members.set_phone(account, OTHER_PHONE.digits, room.clock.now())
    with pytest.raises(DraftUnknown):
        await tails.check(HOLDER, flow, document[-4:], HERE)


@pytest.mark.req("LOG-6")
@pytest.mark.attack("O1", "O4")
async def test_parallel_tries_at_the_end_of_a_document_share_none(room: Room) -> None:
    await room.someone_long_away()
    tails = room.tails()
    flow = await room.at_the_tail()
    tries = [tails.check(HOLDER, flow, f"000{number}", HERE) for number in range(5)]
    said = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(left for left in said if isinstance(left, int)) == [1, 2, 3, 4]
    assert [type(error) for error in said if not isinstance(error, int)] == [TailSpent]
