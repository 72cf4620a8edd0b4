"""What outside services have not taken yet, as whoever runs the server sees it at a command line (REG-1).

Owns the lines that are told of it: references and times, and nobody's name. It needs the database and no keys. Called
by ``national``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from bjidp.accounts.national.ports import WaitingWishes
from bjidp.accounts.national.wish import Waiting
from bjidp.clock import Instant, in_beijing
from bjidp.commands.databases import require_this_release
from bjidp.storage.sql.database.engine import open_engine
from bjidp.storage.sql.national_wishes import SqlWaitingWishes

MOST: Final = 1000
"""Lines at a time: the oldest are those to worry about."""


def run(database_url: str) -> Sequence[str]:
    """Return a line for each account that waits to be handed on; raise ``Refused`` and ``StoreUnavailable``."""
    require_this_release(database_url)
    return asyncio.run(_on(database_url))


async def _on(database_url: str) -> Sequence[str]:
    engine = open_engine(database_url, threads=1)
    try:
        return await lines(SqlWaitingWishes(engine))
    finally:
        await engine.close()


async def lines(wishes: WaitingWishes) -> Sequence[str]:
    """Return a line for each, the oldest first."""
    return [_line(one) for one in await wishes.waiting(MOST)] or ["nobody waits to be handed on"]


def _line(one: Waiting) -> str:
    state = "waits for 实名认证" if one.due_at is None else f"tried {one.attempts} times, next {_minute(one.due_at)}"
    return f"{one.reference}  {_minute(one.wished_at)}  {state}"


def _minute(instant: Instant) -> str:
    return in_beijing(instant).strftime("%Y-%m-%d %H:%M")
