"""Asking providers what became of their messages.

Owns how often, and that nothing ends it but its owner. Started by ``bootstrap`` in every process: of several that ask
each report goes to one, and all of them write to the same records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import structlog

from bjidp.errors import StoreUnavailable, VendorUnavailable
from bjidp.unexpected import outline
from bjidp.vendors.ports.sms import SmsPull, SmsReport

PAUSE: Final = 15.0
"""Seconds between two askings: somebody who waits for a code presses again after sixty."""

AT_ONCE: Final = 20
"""Askings in a row while there is more; the rest waits for the next time."""

Take: TypeAlias = Callable[[SmsReport], Awaitable[None]]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

log = structlog.get_logger(__name__)


class SmsReports:
    """The askings of one process."""

    def __init__(self, pulls: Sequence[SmsPull], take: Take, *, sleep: Sleep = asyncio.sleep) -> None:
        """Ask all of ``pulls``, and hand each report to ``take``."""
        self._pulls = tuple(pulls)
        self._take = take
        self._sleep = sleep

    async def run(self) -> None:
        """Ask now and after every pause, until cancelled."""
        while True:
            await self.once()
            await self._sleep(PAUSE)

    async def once(self) -> None:
        """Take all that is there. What fails keeps nothing else from it, and is tried again next time."""
        for pull in self._pulls:
            try:
                for _ in range(AT_ONCE):
                    reports = await pull.pull()
                    for report in reports:
                        await self._taken(report)
                    if not reports:
                        break
            except VendorUnavailable:
                # Its client has logged it.
                continue
            except Exception as error:  # noqa: BLE001 - one fault must not end all asking for the process's life
                log.error("sms_reports_failed", **outline(error))  # noqa: TRY400 - without its text

    async def _taken(self, report: SmsReport) -> None:
        try:
            await self._take(report)
        except StoreUnavailable:
            # It is not handed out again: the page goes on saying that the message was sent.
            log.warning("sms_report_lost", dispatch=report.reference)
