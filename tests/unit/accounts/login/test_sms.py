"""The login by a code, where the number may be somebody else's by now: how the end of a document is not guessed.

Every test runs on SQLite with what is short-lived in memory, and again with that and the sessions in Redis.
"""

from __future__ import annotations

import pytest

from bjidp.accounts.drafts import DraftUnknown
from bjidp.accounts.login.sms import TailWindows
from bjidp.accounts.ports import Member
from bjidp.clock import DAY, MINUTE
from bjidp.errors import RateLimited
from bjidp.throttle.ports import Window
from bjidp.throttle.source import Source
from tests.unit.accounts.login.room import HERE, HOLDER, OTHER_PHONE, Room


@pytest.mark.req("LOG-6")
@pytest.mark.attack("O1", "O4")
async def test_the_end_of_one_accounts_document_is_tried_so_often_from_wherever(room: Room) -> None:
    _, document = await room.someone_long_away()
    login = room.by_code(TailWindows(account=Window(2, DAY)))
    flow = await room.at_the_tail(login)
    for number in range(2):
        assert isinstance(await login.check_tail(HOLDER, flow, "0000", Source(f"address {number}")), int)
    with pytest.raises(RateLimited):
        await login.check_tail(HOLDER, flow, document[-4:], HERE)


@pytest.mark.req("LOG-6")
@pytest.mark.attack("O1", "O4")
async def test_one_address_tries_so_many_ends_of_documents(room: Room) -> None:
    _, document = await room.someone_long_away()
    login = room.by_code(TailWindows(source=Window(2, 15 * MINUTE)))
    flow = await room.at_the_tail(login)
    for _ in range(2):
        assert isinstance(await login.check_tail(HOLDER, flow, "0000", HERE), int)
    with pytest.raises(RateLimited):
        await login.check_tail(HOLDER, flow, document[-4:], HERE)
    assert isinstance(await login.check_tail(HOLDER, flow, document[-4:], Source("elsewhere")), Member)


@pytest.mark.req("LOG-6")
@pytest.mark.attack("T3")
async def test_a_number_that_the_account_gave_up_meanwhile_logs_nobody_in(room: Room) -> None:
    account, document = await room.someone_long_away()
    login = room.by_code()
    flow = await room.at_the_tail(login)
    await room.sql.members.set_phone(account, OTHER_PHONE.digits, room.clock.now())
    with pytest.raises(DraftUnknown):
        await login.check_tail(HOLDER, flow, document[-4:], HERE)
