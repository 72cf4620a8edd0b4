"""The login by a code, where the number may be somebody else's by now: how the end of a document is not guessed.

Every test runs on SQLite with what is short-lived in memory, and again with that and the sessions in Redis.
"""

from __future__ import annotations

import asyncio

import pytest

from bjidp.accounts.drafts import DraftUnknown
from bjidp.accounts.errors import TailSpent
from bjidp.accounts.login.sms import Proved, TailWindows
from bjidp.clock import DAY, MINUTE
from bjidp.errors import RateLimited
from bjidp.throttle.ports import Window
from bjidp.throttle.source import Source
from tests.support.calls import PATIENCE
from tests.unit.accounts.login.room import HERE, HOLDER, OTHER_PHONE, PHONE, Room, nobody


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
    assert isinstance(await login.check_tail(HOLDER, flow, document[-4:], Source("elsewhere")), Proved)


@pytest.mark.req("LOG-6")
@pytest.mark.attack("T3")
async def test_a_number_that_the_account_gave_up_meanwhile_logs_nobody_in(room: Room) -> None:
    account, document = await room.someone_long_away()
    login = room.by_code()
    flow = await room.at_the_tail(login)
    await room.sql.members.set_phone(account, OTHER_PHONE.digits, room.clock.now())
    with pytest.raises(DraftUnknown):
        await login.check_tail(HOLDER, flow, document[-4:], HERE)


@pytest.mark.req("LOG-6")
@pytest.mark.attack("O9")
async def test_a_form_posted_twice_waits_for_what_the_first_post_is_about_to_note(room: Room) -> None:
    account = await room.someone()
    waits, noted = asyncio.Event(), asyncio.Event()
    second: list[asyncio.Task[object]] = []

    async def sleep(_: float) -> None:
        waits.set()
        await noted.wait()

    login = room.by_code(sleep=sleep)
    flow = await login.send(HOLDER, "", PHONE, known_as=nobody, source=HERE)
    code = await room.last_code()

    async def post_again() -> None:
        second.append(asyncio.create_task(login.check(HOLDER, flow, PHONE, code)))
        async with asyncio.timeout(PATIENCE):
            await waits.wait()

    # The code is used, and that it was right is not written yet.
    room.meddler.before_next("drafts.replace", post_again)
    first = await login.check(HOLDER, flow, PHONE, code)
    noted.set()
    before = []
    for number, found in enumerate((first, await second[0])):
        assert isinstance(found, Proved)
        assert found.member.standing.account == account
        before.append(await login.entered(HOLDER, found, f"session {number}"))
    assert before == [None, "session 0"]


@pytest.mark.req("LOG-6")
@pytest.mark.attack("O1", "O4")
async def test_parallel_tries_at_the_end_of_a_document_share_none(room: Room) -> None:
    await room.someone_long_away()
    login = room.by_code()
    flow = await room.at_the_tail(login)
    tries = [login.check_tail(HOLDER, flow, f"000{number}", HERE) for number in range(5)]
    said = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(left for left in said if isinstance(left, int)) == [1, 2, 3, 4]
    assert [type(error) for error in said if not isinstance(error, int)] == [TailSpent]
