"""An account that staff lock, and unlock, as its owner sees it (OPS-7)."""

from __future__ import annotations

import asyncio

import pytest

from bjidp.accounts.identifiers import of_phone
from tests.support.calls import PATIENCE
from tests.support.inbox import arrived
from tests.support.members import PHONE, enrolled
from tests.support.owner import Owner
from tests.support.program import Program

pytestmark = pytest.mark.req("OPS-7")


async def until(program: Program, what: str) -> None:
    """Wait until this is so."""
    async with asyncio.timeout(PATIENCE):
        while program.sql(f"SELECT {what}") != [(1,)]:
            await program.settle()


@pytest.mark.attack("P7")
async def test_whoever_is_logged_in_is_out_and_told_and_comes_back_once_it_is_unlocked(program: Program) -> None:
    member = await enrolled(program)
    owner = await Owner.of(program, member.account)
    locks, sandbox = program.rooms.stores.locks, owner.browser.caller.sandbox
    found = await locks.find([of_phone(PHONE)], "wang", program.clock.now())
    await locks.lock(found.ref, "wang", program.clock.now())
    assert (await owner.get("/centre")).header("Location") == "/login", "at once"

    await program.advance(10)
    await until(program, "count(*) FROM account_lock WHERE due_at IS NULL AND settled_at IS NOT NULL")
    assert program.sql("SELECT count(*) FROM browser_session") == [(0,)]
    assert await arrived(sandbox, PHONE, words="已被工作人员锁定")

    await locks.unlock(found.ref, "wang", program.clock.now())
    assert (await owner.get("/centre")).header("Location") == "/login", "with the old cookie, still"
    back = await Owner.of(program, member.account)
    centre = await back.get("/centre")
    assert (centre.status, "工作人员锁定了您的账号" in centre.text) == (200, True)
    assert "工作人员查看您的账号" in (await back.get("/centre/log")).text
    await program.advance(10)
    await until(program, "count(*) = 0 FROM account_lock")
    assert await arrived(sandbox, PHONE, count=2, words="已解除锁定")
