"""What runs beside requests for as long as the application does, in every process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from aiohttp import web


def beside(run: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[web.Application], None]:
    """Return what lets ``run`` begin with the application, and end with it."""

    async def running(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return lambda app: app.cleanup_ctx.append(running)
