"""Appeals, wired: what follows a decision, in every process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from bjidp.accounts.endings import Endings
from bjidp.appeals.outcomes import Outcomes
from bjidp.bootstrap.front import Part
from bjidp.bootstrap.rooms import Rooms
from bjidp.bootstrap.verification import Verification


def outcomes_part(rooms: Rooms, verification: Verification, endings: Endings) -> Part:
    """Return what tells people of decisions for as long as the application runs."""
    outcomes = Outcomes(appeals=rooms.stores.appeals, endings=endings, teller=verification.teller, clock=rooms.clock)

    async def telling(_: web.Application) -> AsyncIterator[None]:
        running = asyncio.create_task(outcomes.run())
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    return Part(mounts=(lambda app: app.cleanup_ctx.append(telling),))
