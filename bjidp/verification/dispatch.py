"""Sending one-time codes, so that no page waits for whoever brings them.

Called by every flow that proves a number. A message is counted, its code issued and its record kept before
the answer; it is handed to the provider in the background, and the page asks what became of it. The digits go to the
sender and nowhere else (attack O7).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol, TypeAlias

import msgspec
import structlog
from msgspec import Struct

from bjidp.clock import MINUTE, SECOND, SYSTEM_STOPWATCH, Millis, Stopwatch
from bjidp.entropy import Entropy
from bjidp.errors import StoreUnavailable, TooBusy, VendorUnavailable
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.records import Records, StaleRecord
from bjidp.secret import Secret
from bjidp.throttle.source import Source
from bjidp.vendors.ports import Sms, SmsSender
from bjidp.verification.code import Binding, Channel, Purpose
from bjidp.verification.codes import Codes
from bjidp.verification.errors import DispatchUnknown, SmsNotOffered
from bjidp.verification.limits import SmsLimits
from bjidp.verification.number import MobileNumber
from bjidp.verification.sending import UNAVAILABLE, Dispatch, End, Outcome, Progress, Recent, Sending, judged, progress

WAIT: Final = 60
"""Seconds until the next message to the same number may be asked for."""

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
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

log = structlog.get_logger(__name__)

_ID: Final = re.compile(r"[0-9a-f]{32}")


class SmsWords(Struct, frozen=True):
    """One message, as whole words and as a template's values."""

    text: str
    template: str
    parameters: tuple[str, ...]

    def __repr__(self) -> str:
        """Show the name of the template alone: the rest has the code in it."""
        return f"SmsWords({self.template}, ***)"


class Words(Protocol):
    """Knows what messages say."""

    def sms(self, purpose: Purpose, code: str) -> SmsWords:
        """Return the message that brings ``code`` for ``purpose``."""
        ...


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
        sender: SmsSender | None,
        words: Words,
        records: Records[Dispatch],
        pseudonyms: Pseudonyms,
        entropy: Entropy,
        stopwatch: Stopwatch = SYSTEM_STOPWATCH,
        sleep: Sleep = asyncio.sleep,
        most: int = MOST,
    ) -> None:
        """Send by ``sender``, None where nobody is there to send; keep what became of messages in ``records``."""
        self._codes = codes
        self._limits = limits
        self._sender = sender
        self._words = words
        self._records = records
        self._pseudonyms = pseudonyms
        self._entropy = entropy
        self._stopwatch = stopwatch
        self._sleep = sleep
        self._most = most
        self._recent = Recent()
        self._begun = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def offers_sms(self) -> bool:
        """Whether there is somebody to send short messages."""
        return self._sender is not None

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

        Raises :class:`bjidp.verification.errors.SmsNotOffered` and ``TooBusy`` before anything is counted, then
        ``SmsHourly``, ``SmsDaily`` and ``RateLimited``.
        """
        sender = self._sender
        if sender is None:
            raise SmsNotOffered
        self._enter()
        try:
            await self._limits.count(number, browser=browser, source=source, owner=owner)
            code = await self._codes.issue(binding)
            dispatch = await self._opened(holder, Channel.SMS)
            sms = self._message(dispatch, binding.purpose, number, code)
        except BaseException:
            self._begun -= 1
            raise
        send = partial(self._delivered, sender, sms, binding.purpose) if real else self._imitated
        self._begin(dispatch, Channel.SMS, send)
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

    async def close(self, within: float = CLOSING) -> None:
        """Let sendings under way end, for ``within`` seconds at most; the others are given up."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=within)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _enter(self) -> None:
        if self._begun >= self._most:
            raise TooBusy(RETRY_AFTER)
        self._begun += 1

    def _begin(self, dispatch: str, channel: Channel, send: Send) -> None:
        task = asyncio.create_task(self._run(dispatch, channel, send))
        self._tasks.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._begun -= 1

    async def _opened(self, holder: str, channel: Channel) -> str:
        dispatch = self._entropy.octets(16).hex()
        kept = Dispatch(self._digest(holder), channel)
        await self._records.add(self._key("under_way", dispatch), kept, UNDER_WAY)
        await self._records.add(self._key("dispatch", dispatch), kept, LIFETIME)
        return dispatch

    async def _run(self, dispatch: str, channel: Channel, send: Send) -> None:
        try:
            end = await send()
        except Exception as error:  # noqa: BLE001 - nobody else is there to hear of it, and the page waits for an end
            log.error("dispatch_broken", channel=channel, kind=type(error).__name__)  # noqa: TRY400 - without its text
            end = UNAVAILABLE
        log.info("dispatched", channel=channel, dispatch=dispatch, failure=end.failure)
        try:
            await self._end(dispatch, end)
        except StoreUnavailable:
            # It is taken for failed when its time is over.
            log.warning("dispatch_unwritten", channel=channel, dispatch=dispatch)

    async def _end(self, dispatch: str, end: End) -> None:
        key = self._key("dispatch", dispatch)
        for _ in range(ATTEMPTS):
            held = await self._records.get(key)
            if held is None:
                return
            try:
                await self._records.replace(key, msgspec.structs.replace(held.value, end=end), held.version)
            except StaleRecord:
                continue
            return
        raise StoreUnavailable

    async def _delivered(self, sender: SmsSender, sms: Sms, purpose: Purpose) -> End:
        started = self._stopwatch()
        try:
            async with asyncio.timeout(PATIENCE):
                end = judged(await sender.send(sms), purpose)
        except (VendorUnavailable, TimeoutError):
            end = UNAVAILABLE
        self._recent.note(Sending(self._stopwatch() - started, end))
        return end

    async def _imitated(self) -> End:
        recent = self._recent.pick(self._entropy.octets(1)[0])
        await self._sleep(recent.seconds)
        return recent.end

    def _message(self, dispatch: str, purpose: Purpose, number: MobileNumber, code: Secret) -> Sms:
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
