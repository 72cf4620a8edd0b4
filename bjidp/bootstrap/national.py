"""Handing accounts on to the national platform, wired; in every process, where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from bjidp.accounts.national.handing_on import HandingOn
from bjidp.bootstrap.front import Part
from bjidp.bootstrap.rooms import Rooms
from bjidp.vendors.catalog import build_national_register


def national_part(rooms: Rooms) -> Part:
    """Return what hands accounts on for as long as the application runs."""
    settings = rooms.settings.national_register
    if settings is None:
        return Part()
    handing_on = HandingOn(
        wishes=rooms.stores.wishes,
        platform=build_national_register(settings, http=rooms.http, clock=rooms.clock),
        clock=rooms.clock,
    )

    async def running(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(handing_on.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return Part(mounts=(lambda app: app.cleanup_ctx.append(running),))
