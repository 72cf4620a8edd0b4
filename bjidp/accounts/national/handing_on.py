"""Handing accounts on to 国家政务服务平台, in every process, until it has taken them (REG-1).

Owns that no wish is lost and none is handed on as a second user. A wish is taken on by being put off: whoever dies
before the answer, or never hears it, leaves it to be handed on again under the same reference, by which the platform
gives the same answer. A platform that does not answer is asked about one wish a look, however many wait.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from bjidp.accounts.national.ports import WishStore
from bjidp.accounts.national.wish import Wish, WishEnd
from bjidp.clock import Clock
from bjidp.errors import StoreUnavailable, VendorUnavailable
from bjidp.unexpected import outline
from bjidp.vendors.ports.registers import NationalAnswer, NationalRegister

PAUSE: Final = 5.0
"""Seconds between two looks."""

ENDS: Final = {
    NationalAnswer.JOINED: WishEnd.JOINED,
    NationalAnswer.KNOWN: WishEnd.KNOWN,
    NationalAnswer.REFUSED: WishEnd.REFUSED,
}

log = structlog.get_logger(__name__)


class HandingOn:
    """Hands on what is due."""

    def __init__(self, *, wishes: WishStore, platform: NationalRegister, clock: Clock) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._wishes = wishes
        self._platform = platform
        self._clock = clock

    async def run(self) -> None:
        """Look now and after every pause, until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(PAUSE)

    async def once(self) -> None:
        """Hand on everything that is due, or find out that the platform does not answer."""
        try:
            while (wish := await self._wishes.take_on(self._clock.now())) is not None:
                if not await self._is_settled(wish):
                    return
        except StoreUnavailable:
            log.warning("national_store_silent")
        except Exception as error:  # noqa: BLE001 - one fault must not end all handing on for the process's life
            log.error("national_failed", **outline(error))  # noqa: TRY400 - without its text

    async def _is_settled(self, wish: Wish) -> bool:
        try:
            answer = await self._platform.register(wish.person, wish.phone, reference=wish.reference)
        except VendorUnavailable:
            log.warning("national_put_off", reference=wish.reference, attempts=wish.attempts)
            return False
        end = ENDS[answer]
        await self._wishes.settle(wish.reference, end, self._clock.now())
        log.info("national_handed_on", reference=wish.reference, attempts=wish.attempts, end=end.value)
        return True
