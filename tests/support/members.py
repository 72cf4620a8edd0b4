"""People who have registered on a page, without the pages in between."""

from __future__ import annotations

from bjidp.accounts.hashing import Cost, PasswordHashes
from bjidp.accounts.member_ports import NewMember
from bjidp.standing import Standing
from tests.support.program import Program

USERNAME = "zhang_san"
PHONE = "15400005678"
PASSWORD = "Correct-horse7"

CHEAP = Cost(time=1, memory=8)
"""A hash that tells right from wrong like any other, and is made in no time."""


async def enrolled(
    program: Program,
    *,
    username: str | None = USERNAME,
    phone: str = PHONE,
    password: str | None = PASSWORD,
    cost: Cost = CHEAP,
) -> Standing:
    """Register an account with a username, a number and a password, whose hash costs ``cost``."""
    kept = None
    if password is not None:
        hashes = PasswordHashes(program.rooms.entropy, cost, threads=1, waiting=1)
        kept = await hashes.hash(password)
        await hashes.close()
    new = NewMember(username=username, phone=phone, password=kept)
    return await program.rooms.stores.members.enrol(new, program.clock.now())
