"""The database of a command's tests, as a server of the same settings has it open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bjidp.bootstrap import read_keyring
from bjidp.clock import SystemClock
from bjidp.config.settings import Settings
from bjidp.entropy import SystemEntropy
from bjidp.storage.sql.catalog import SqlStores, open_sql

T = TypeVar("T")


def in_store(settings: Settings, act: Callable[[SqlStores], Awaitable[T]]) -> T:
    """Return what ``act`` does with the stores of a server."""

    async def doing() -> T:
        stores = open_sql(settings.storage.database_url, read_keyring(settings), SystemEntropy(), SystemClock())
        try:
            return await act(stores)
        finally:
            await stores.close()

    return asyncio.run(doing())
