"""Following up what staff have done at a command line, which knows neither vendors nor where sessions lie.

Owns that nothing of it is lost and that one fault keeps nothing else from it. The store keeps what has to follow, and
every server asks for it; whoever dies between two steps leaves it to be taken on again some minutes later. Called by
whoever says what follows: a decision on an appeal, a lock.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final, Generic, TypeVar

import structlog

from bjidp.errors import StoreUnavailable
from bjidp.unexpected import outline

PAUSE: Final = 5.0
"""Seconds between two looks."""

AT_ONCE: Final = 20
"""Taken on at a time: as many as are told within the minutes that one has for it."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class FollowUps(ABC, Generic[T]):
    """Looks for what is due, and follows it up."""

    kind: ClassVar[str]
    """What they follow, as the log has it."""

    async def run(self) -> None:
        """Look now and after every pause, until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(PAUSE)

    async def once(self) -> None:
        """Follow up what is due. What fails keeps nothing else from it, and is tried again."""
        try:
            found = await self._due(AT_ONCE)
        except StoreUnavailable:
            log.warning("follow_ups_put_off", of=self.kind)
            return
        for one in found:
            try:
                await self._follow(one)
            except StoreUnavailable:
                log.warning("follow_up_put_off", of=self.kind, reference=self._reference(one))
            except Exception as error:  # noqa: BLE001 - one fault must not end all following for the process's life
                told = {"of": self.kind, "reference": self._reference(one), **outline(error)}
                log.error("follow_up_failed", **told)  # noqa: TRY400 - without its text

    @abstractmethod
    async def _due(self, limit: int) -> Sequence[T]:
        """Take on at most ``limit`` that are due; raise ``StoreUnavailable``."""

    @abstractmethod
    async def _follow(self, one: T) -> None:
        """Do what follows, and note that it is done, unless it has to be tried again."""

    @abstractmethod
    def _reference(self, one: T) -> str:
        """Return what the log may call it."""
