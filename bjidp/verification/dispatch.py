"""Sending one-time codes, so that no page waits for whoever brings them.

Called by every flow that proves a number or a mail address. A message is counted, its code issued and its record kept
before the answer; it is handed to the provider in the background, and the page asks what became of it. The digits go to
the sender and nowhere else (attack O7).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeAlias

import structlog
from msgspec import Struct

from bjidp.clock import MINUTE, SECOND, SYSTEM_STOPWATCH, Millis, Stopwatch
from bjidp.entropy import Entropy
from bjidp.errors import StoreUnavailable, TooBusy, VendorUnavailable
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.records import Records, StaleRecord
from bjidp.secret import Secret
from bjidp.throttle.source import Source
from bjidp.unexpected import outline
from bjidp.vendors.ports.mail import Mail, MailSender
from bjidp.vendors.ports.sms import Sms, SmsReport, SmsSender
from bjidp.verification.code import Binding, Channel, Purpose
from bjidp.verification.codes import Codes
from bjidp.verification.errors import DispatchUnknown, MailNotOffered, SmsNotOffered
from bjidp.verification.limits import MailLimits, SmsLimits
from bjidp.verification.mail_address import MailAddress
from bjidp.verification.number import MobileNumber
from bjidp.verification.ranges import NumberRange
from bjidp.verification.sending import (
    UNAVAILABLE,
    Dispatch,
    End,
    Outcome,
    Progress,
    Recent,
    Sending,
    ended,
    is_discreet,
    judged_mail,
    judged_sms,
    progress,
    reported,
)
from bjidp.verification.words import MailTexts, Words

WAIT: Final = 60
"""Seconds until the next message to the same number or address may be asked for."""

PATIENCE: Final = 17.0
"""Seconds that a provider, or two in turn, may take."""

UNDER_WAY: Final[Millis] = 20 * SECOND
"""How long a sending without an end is believed to be under way: a process that had it longer has died with it."""

LIFETIME: Final[Millis] = 10 * MINUTE
"""How long a page may ask; the code itself is dead before."""

MOST: Final = 64
"""Sendings under way in one process. A provider in order has a handful; one that hangs must not fill the memory."""

RETRY_AFTER: Final = 5

CLOSING: Final = 5.0
"""Seconds that sendings under way are given when the process ends."""

ATTEMPTS: Final = 8
"""Lost races in a row before an end is left unwritten."""

Send: TypeAlias = Callable[[], Awaitable[End]]
Begin: TypeAlias = Callable[[str, Channel, Send], None]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

log = structlog.get_logger(__name__)

_ID: Final = re.compile(r"[0-9a-f]{32}")


class ByMail(Struct, frozen=True, kw_only=True):
    """What sending by mail takes."""

    sender: MailSender
    limits: MailLimits
    words: MailTexts


class Sent(Struct, frozen=True):
    """A message was counted and is being sent: what the page asks about, and the seconds until the next one."""

    id: str
    wait: int = WAIT


class Dispatches:
    """Sends codes. A store that is down raises ``StoreUnavailable``, and nothing is sent."""

    def __init__(
        self,
        *,
        codes: Codes,
        limits: SmsLimits,
        numbers: NumberRange,
        sender: SmsSender | None,
        words: Words,
        records: Records[Dispatch],
        pseudonyms: Pseudonyms,
        entropy: Entropy,
        mail: ByMail | None = None,
        stopwatch: Stopwatch = SYSTEM_STOPWATCH,
        sleep: Sleep = asyncio.sleep,
        most: int = MOST,
    ) -> None:
        """Send by ``sender`` and by ``mail``, None where there is none; keep what became of messages in ``records``."""
        self._codes = codes
        self._limits = limits
        self._numbers = numbers
        self._sender = sender
        self._by_mail = mail
        self._words = words
        self._records = records
        self._pseudonyms = pseudonyms
        self._entropy = entropy
        self._stopwatch = stopwatch
        self._sleep = sleep
        self._most = most
        self._recent = Recent()
        self._held = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def sms(
        self,
        binding: Binding,
        number: MobileNumber,
        *,
        holder: str,
        browser: str,
        source: Source,
        owner: bool,
        real: bool = True,
    ) -> Sent:
        """Count a message to ``number``, issue its code and begin to send it; return without waiting for that.

        ``holder`` alone can ask what became of it. ``browser``, ``source`` and ``owner`` are those of
        :meth:`bjidp.verification.limits.SmsLimits.count`. Nothing goes out for a decoy, which is not ``real``; all else
        is the same for it, and it ends when and how recent messages ended (attack R1).

        Raises :class:`bjidp.verification.errors.SmsNotOffered`, ``InvalidRequest`` for a number that is not served
        here, and ``TooBusy`` before anything is counted, then ``SmsHourly``, ``SmsDaily`` and ``RateLimited``.
        """
        sender = self._sender
        if sender is None:
            raise SmsNotOffered
        if real:
            # A decoy's number is none that anybody typed, and need not look like one.
            self._numbers.admit(number)
        with self._entered() as begin:
            await self._limits.count(number, browser=browser, source=source, owner=owner)
            code = await self._codes.issue(binding, owner=owner)
            dispatch = await self._opened(holder, Channel.SMS, binding.purpose)
            sms = self._sms(dispatch, binding.purpose, number, code)
            begin(dispatch, Channel.SMS, partial(self._messaged, sender, sms) if real else self._imitated)
        return Sent(dispatch)

    async def mail(self, binding: Binding, address: MailAddress, *, holder: str, browser: str, source: Source) -> Sent:
        """Count a mail to ``address``, issue its code and begin to send it; return without waiting for that.

        Raises :class:`bjidp.verification.errors.MailNotOffered` and ``TooBusy`` before anything is counted, then
        ``RateLimited``.
        """
        by_mail = self._by_mail
        if by_mail is None:
            raise MailNotOffered
        with self._entered() as begin:
            await by_mail.limits.count(address, browser=browser, source=source)
            code = await self._codes.issue(binding)
            dispatch = await self._opened(holder, Channel.MAIL, binding.purpose)
            words = by_mail.words.mail(binding.purpose, code.text())
            mail = Mail(reference=dispatch, to=address.text, subject=words.subject, text=words.text)
            begin(dispatch, Channel.MAIL, partial(self._mailed, by_mail.sender, mail))
        return Sent(dispatch)

    async def outcome(self, holder: str, dispatch: str) -> Outcome:
        """Return how far a sending of the holder's has come; raise ``DispatchUnknown``."""
        return (await self.progress(holder, dispatch)).outcome

    async def progress(self, holder: str, dispatch: str) -> Progress:
        """Return how far a sending of the holder's has come, and why it failed; raise ``DispatchUnknown``."""
        if _ID.fullmatch(dispatch) is None:
            raise DispatchUnknown
        # In this order: what ends in between is found ended.
        under_way = await self._records.get(self._key("under_way", dispatch))
        held = await self._records.get(self._key("dispatch", dispatch))
        if held is None or held.value.holder != self._digest(holder):
            raise DispatchUnknown
        return progress(held.value, under_way=under_way is not None)

    async def report(self, report: SmsReport) -> None:
        """Take note of what an operator reports of an SMS. Reports of other messages than codes change nothing here."""
        log.info("sms_report", dispatch=report.reference, status=report.status, delivered=report.delivered)
        if _ID.fullmatch(report.reference) is not None:
            await self._change(report.reference, partial(reported, delivered=report.delivered))

    async def close(self, within: float = CLOSING) -> None:
        """Let sendings under way end, for ``within`` seconds at most; the others are given up."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=within)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    @contextmanager
    def _entered(self) -> Iterator[Begin]:
        """Hold one of the places of what may be under way; it is kept by what is begun within, else given back."""
        if self._held >= self._most:
            raise TooBusy(RETRY_AFTER)
        self._held += 1
        try:
            yield self._begin
        except BaseException:
            self._held -= 1
            raise

    def _begin(self, dispatch: str, channel: Channel, send: Send) -> None:
        task = asyncio.create_task(self._run(dispatch, channel, send))
        self._tasks.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._held -= 1

    async def _opened(self, holder: str, channel: Channel, purpose: Purpose) -> str:
        dispatch = self._entropy.octets(16).hex()
        kept = Dispatch(self._digest(holder), channel, is_discreet(purpose))
        await self._records.add(self._key("under_way", dispatch), kept, UNDER_WAY)
        await self._records.add(self._key("dispatch", dispatch), kept, LIFETIME)
        return dispatch

    async def _run(self, dispatch: str, channel: Channel, send: Send) -> None:
        try:
            end = await send()
        except Exception as error:  # noqa: BLE001 - nobody else is there to hear of it, and the page waits for an end
            log.error("dispatch_broken", channel=channel, **outline(error))  # noqa: TRY400 - without its text
            end = UNAVAILABLE
        log.info("dispatched", channel=channel, dispatch=dispatch, failure=end.failure)
        try:
            await self._change(dispatch, partial(ended, end=end))
        except StoreUnavailable:
            # It is taken for failed when its time is over.
            log.warning("dispatch_unwritten", channel=channel, dispatch=dispatch)

    async def _change(self, dispatch: str, change: Callable[[Dispatch], Dispatch | None]) -> None:
        key = self._key("dispatch", dispatch)
        for _ in range(ATTEMPTS):
            held = await self._records.get(key)
            changed = None if held is None else change(held.value)
            if held is None or changed is None:
                return
            try:
                await self._records.replace(key, changed, held.version)
            except StaleRecord:
                continue
            return
        raise StoreUnavailable

    async def _messaged(self, sender: SmsSender, sms: Sms) -> End:
        started = self._stopwatch()
        try:
            async with asyncio.timeout(PATIENCE):
                end = judged_sms(await sender.send(sms))
        except (VendorUnavailable, TimeoutError):
            end = UNAVAILABLE
        self._recent.note(Sending(self._stopwatch() - started, end))
        return end

    async def _imitated(self) -> End:
        recent = self._recent.pick(self._entropy.octets(1)[0])
        await self._sleep(recent.seconds)
        return recent.end

    async def _mailed(self, sender: MailSender, mail: Mail) -> End:
        try:
            async with asyncio.timeout(PATIENCE):
                return judged_mail(await sender.send(mail))
        except (VendorUnavailable, TimeoutError):
            return UNAVAILABLE

    def _sms(self, dispatch: str, purpose: Purpose, number: MobileNumber, code: Secret) -> Sms:
        words = self._words.sms(purpose, code.text())
        return Sms(
            reference=dispatch,
            to=number.digits,
            text=words.text,
            template=words.template,
            parameters=words.parameters,
        )

    def _key(self, what: str, dispatch: str) -> str:
        return self._pseudonyms.key(f"verification.{what}", dispatch)

    def _digest(self, holder: str) -> bytes:
        return self._pseudonyms.digest("verification.dispatch.holder", holder)
