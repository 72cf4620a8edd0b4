"""The login by a code, posted twice.

Runs on SQLite with what is short-lived in memory, and again with that and the sessions in Redis.
"""

from __future__ import annotations

import asyncio

import pytest

from bjidp.accounts.login.flow import Proved
from tests.support.calls import PATIENCE
from tests.unit.accounts.login.room import HOLDER, PHONE, Room


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
    flow = await room.asked(login)
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
