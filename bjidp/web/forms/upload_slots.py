"""Who may be sending files at this moment: so many in all, of one network, and of one account one (attack U5).

Owns the slots, each of which is memory for the files of a form. An account's second form waits for its first to end,
since whoever presses twice is to be answered twice; it holds nothing meanwhile. Called by ``uploads``, once it is known
who posts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from msgspec import Struct, field

from bjidp.errors import TooBusy
from bjidp.throttle.source import Source
from bjidp.web.http.address_slots import AddressSlots

AT_ONCE: Final = 8
"""Bodies that are read at a time."""

OF_A_NETWORK: Final = 3
"""Of them from one address; more where many people share it."""

OF_AN_ACCOUNT: Final = 2
"""Forms of one account that are here: one is read, one waits."""

BUSY: Final = 10
"""Seconds after which to try again, and that an account's second form waits."""


class _Own(Struct, eq=False):
    here: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class UploadSlots:
    """Slots of one process."""

    def __init__(self) -> None:
        """Let nobody have one yet."""
        self._reading = 0
        self._accounts: dict[str, _Own] = {}
        self._networks = AddressSlots(OF_A_NETWORK)

    @asynccontextmanager
    async def slot(self, account: str, source: Source) -> AsyncIterator[None]:
        """Have a slot for as long as the block runs; raise ``TooBusy`` where there is none."""
        own = self._accounts.setdefault(account, _Own())
        if own.here >= OF_AN_ACCOUNT:
            raise TooBusy(BUSY)
        own.here += 1
        try:
            await _in_turn(own.turn)
            try:
                with self._networks.held(source) as is_free:
                    if not is_free or self._reading >= AT_ONCE:
                        raise TooBusy(BUSY)
                    self._reading += 1
                    try:
                        yield
                    finally:
                        self._reading -= 1
            finally:
                own.turn.release()
        finally:
            own.here -= 1
            if not own.here:
                del self._accounts[account]


async def _in_turn(turn: asyncio.Lock) -> None:
    try:
        async with asyncio.timeout(BUSY):
            await turn.acquire()
    except TimeoutError:
        raise TooBusy(BUSY) from None
