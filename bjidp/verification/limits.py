"""How often a code by SMS or mail may be asked for (FAQ-1, attack O11).

Owns which limits count under which keys. Every key is a pseudonym. Called before each message, whatever page it is for
and whether or not the number belongs to an account; no account is looked at here, so an unknown number is counted and
refused like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import structlog
from msgspec import Struct

from bjidp.clock import DAY, HOUR, MINUTE
from bjidp.errors import RateLimited, StoreUnavailable
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.records import DuplicateRecord, Records, StaleRecord
from bjidp.throttle.ports import Throttle, Window
from bjidp.throttle.source import Source
from bjidp.verification import tally as rules
from bjidp.verification.errors import SmsOfBrowser
from bjidp.verification.mail_address import MailAddress
from bjidp.verification.number import MobileNumber
from bjidp.verification.tally import NumberLimits, Tally

ATTEMPTS: Final = 24
"""Lost races in a row before giving up with a 503. Whoever wins one fills the minute, so the next look refuses."""

log = structlog.get_logger(__name__)


class SmsWindows(Struct, frozen=True, kw_only=True):
    """The limits."""

    number: NumberLimits = NumberLimits()
    browser: Window = Window(5, HOUR)
    source: Window = Window(200, HOUR)
    warnings: tuple[Window, ...] = (Window(5, HOUR), Window(10, DAY))
    """What a number is told without a code, apart from the codes: whoever has used those up would change the account
    without the owner's hearing of it (attack R4)."""
    offers: tuple[Window, ...] = (Window(2, DAY),)
    """What strangers may have a number told, which takes nothing from its warnings."""
    budget: Window = Window(5000, HOUR)
    """What the operator expects to pay for in an hour: beyond it somebody is told, and messages go out all the same."""
    alarm: Window = Window(1, HOUR)
    """How often it is told."""


class SmsLimits:
    """Counts, and refuses. A store that is down raises ``StoreUnavailable``: nothing passes (attack O5)."""

    def __init__(
        self, *, tallies: Records[Tally], throttle: Throttle, pseudonyms: Pseudonyms, windows: SmsWindows
    ) -> None:
        """Keep what numbers were sent in ``tallies``, count all else in ``throttle``."""
        self._tallies = tallies
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._windows = windows

    async def count(self, number: MobileNumber, *, browser: str, source: Source, owner: bool) -> None:
        """Count one message to ``number``; the caller may send it then.

        ``owner`` tells that the number's own account asks: in a session, in a browser that logged in to it before, or
        in its 京通. ``browser`` is an id of the server's own. Raises :class:`SmsDaily`, :class:`SmsHourly`,
        :class:`SmsOfBrowser` and ``RateLimited``. An asking that is refused counts for the network address alone.
        """
        windows = self._windows
        await source.hit(self._throttle, "sms.source", windows.source)
        of_browser = self._pseudonyms.key("sms.browser", browser)
        with _of_browser():
            await _require_room(self._throttle, of_browser, windows.browser)
        await self._count_number(self._pseudonyms.key("sms.number", number.digits), owner=owner)
        with _of_browser():
            await self._throttle.hit(of_browser, windows.browser)
        await self._count_budget()

    async def count_warning(self, number: MobileNumber) -> None:
        """Count one message to ``number`` that tells of a change; the caller may send it then.

        Each takes a change of what the number's owner has, so no stranger uses them up. Raises ``RateLimited``.
        """
        await self._throttle.hit(self._pseudonyms.key("sms.warning", number.digits), *self._windows.warnings)
        await self._count_budget()

    async def count_offer(self, number: MobileNumber) -> None:
        """Count one message to ``number`` that a stranger has brought about; the caller may send it then.

        Raises ``RateLimited``.
        """
        await self._throttle.hit(self._pseudonyms.key("sms.offer", number.digits), *self._windows.offers)
        await self._count_budget()

    async def _count_number(self, key: str, *, owner: bool) -> None:
        for _ in range(ATTEMPTS):
            held = await self._tallies.get(key)
            if held is None:
                # An empty one first: the store tells its time only with a record.
                with suppress(DuplicateRecord):
                    await self._tallies.add(key, Tally(), DAY)
                continue
            following = rules.counted(held.value, owner=owner, limits=self._windows.number, now=held.now)
            try:
                await self._tallies.replace(key, following, held.version, DAY)
            except StaleRecord:
                continue
            return
        raise StoreUnavailable

    async def _count_budget(self) -> None:
        with suppress(RateLimited):
            await self._throttle.hit(self._pseudonyms.key("sms.budget"), self._windows.budget)
            return
        with suppress(RateLimited):
            await self._throttle.hit(self._pseudonyms.key("sms.alarm"), self._windows.alarm)
            log.error("sms_budget_exceeded", messages=self._windows.budget.limit)


class MailWindows(Struct, frozen=True, kw_only=True):
    """The limits of mail."""

    mailbox: tuple[Window, ...] = (Window(1, MINUTE), Window(5, HOUR), Window(10, DAY))
    browser: Window = Window(5, HOUR)
    source: Window = Window(200, HOUR)


class MailLimits:
    """Counts, and refuses. A store that is down raises ``StoreUnavailable``: nothing passes (attack O5)."""

    def __init__(self, *, throttle: Throttle, pseudonyms: Pseudonyms, windows: MailWindows) -> None:
        """Count in ``throttle``."""
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._windows = windows

    async def count(self, address: MailAddress, *, browser: str, source: Source) -> None:
        """Count one mail to ``address``; the caller may send it then.

        Raises ``RateLimited``. An asking that is refused counts for the network address alone.
        """
        windows = self._windows
        await source.hit(self._throttle, "mail.source", windows.source)
        of_browser = self._pseudonyms.key("mail.browser", browser)
        await _require_room(self._throttle, of_browser, windows.browser)
        await self._throttle.hit(self._pseudonyms.key("mail.mailbox", address.mailbox), *windows.mailbox)
        await self._throttle.hit(of_browser, windows.browser)


@contextmanager
def _of_browser() -> Iterator[None]:
    """Say that it is this browser's limit: another number, or another browser, may have a message."""
    try:
        yield
    except RateLimited as full:
        raise SmsOfBrowser(full.retry_after) from None


async def _require_room(throttle: Throttle, key: str, window: Window) -> None:
    if await throttle.peek(key, window) >= window.limit:
        # It is full, so this is refused, with the time to wait, before it takes anything from the address.
        await throttle.hit(key, window)
