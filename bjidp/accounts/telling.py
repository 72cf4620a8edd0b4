"""Telling the owner of a number that something about their account has changed (SES-2, attack R4).

Owns the messages without a code: what there is to tell, and that they are counted apart from the codes, which whoever
changes the account can have used up. Called after the change, by services of accounts and by ``miniprogram``: nobody
waits for a message, and one that cannot be sent changes nothing. What has to be known in any case is a notice, which
the store queues with the change.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Final, Protocol

import structlog

from bjidp.entropy import Entropy
from bjidp.errors import RateLimited, StoreUnavailable, VendorUnavailable
from bjidp.vendors.ports.sms import Sms, SmsAccepted, SmsSender
from bjidp.verification.dispatch import PATIENCE
from bjidp.verification.limits import SmsLimits
from bjidp.verification.number import MobileNumber
from bjidp.verification.words import SmsWords

MOST: Final = 64
"""Messages under way in one process."""

CLOSING: Final = 5.0
"""Seconds that messages under way are given when the process ends."""

log = structlog.get_logger(__name__)


class Told(StrEnum):
    """What is told."""

    PHONE_CHANGED = "phone_changed"
    """To the number that was the account's: another one is now."""
    ACCOUNT_MERGED = "account_merged"
    """To the number that moved: the account that had it has ended (wire.md 3, ``phone``)."""
    IDENTITY_LOST = "identity_lost"
    """To the account's number: another account has proved the identity better (RNV-7)."""
    IDENTITY_EXCHANGED = "identity_exchanged"
    """To the account's number: the account is another person's identity by now (RNV-5)."""
    IDENTITY_UNBOUND = "identity_unbound"
    """To the account's number: the account has no identity any more (RNV-6)."""
    ORGANISATION_LOST = "organisation_lost"
    """To the account's number: it leads an organisation no more (ORG-1)."""
    MANDATE_OFFERED = "mandate_offered"
    """To a number, whether or not an account has it: somebody would have its owner act for an organisation (ORG-2)."""
    MANDATE_ENDED = "mandate_ended"
    """To the agent's number: a mandate has ended (ORG-2)."""
    ACCOUNT_LOCKED = "account_locked"
    """To the account's number: staff have locked it (OPS-7)."""
    ACCOUNT_UNLOCKED = "account_unlocked"
    """To the account's number: staff have unlocked it."""
    EXTERNAL_LINKED = "external_linked"
    """To the account's number: what somebody has elsewhere logs in to the account (LOG-4)."""
    EXTERNAL_UNLINKED = "external_unlinked"
    """To the account's number: it does so no more."""
    APPEAL_GRANTED = "appeal_granted"
    """To the account's number: staff have moved the identity there (RNV-8)."""
    APPEAL_REFUSED = "appeal_refused"
    """To the account's number: staff have not (RNV-8)."""


class ToldWords(Protocol):
    """Knows what messages say."""

    def told(self, what: Told) -> SmsWords:
        """Return the message."""
        ...


class Teller:
    """Sends in the background."""

    def __init__(
        self,
        *,
        sender: SmsSender | None,
        limits: SmsLimits,
        words: ToldWords,
        entropy: Entropy,
        most: int = MOST,
    ) -> None:
        """Send by ``sender``, None where nobody is there to send; then nothing is told."""
        self._sender = sender
        self._limits = limits
        self._words = words
        self._entropy = entropy
        self._most = most
        self._tasks: set[asyncio.Task[bool]] = set()

    def tell(self, number: MobileNumber, what: Told) -> None:
        """Begin to tell ``number``; return at once, whatever becomes of it."""
        if self._sender is None:
            return
        if len(self._tasks) >= self._most:
            log.warning("not_told", what=what, reason="too_busy")
            return
        task = asyncio.create_task(self._run(self._sender, number, what))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def sends(self) -> bool:
        """Whether anybody is there to send."""
        return self._sender is not None

    async def reached(self, number: MobileNumber, what: Told) -> bool:
        """Tell ``number``, and return whether the message was taken: for who tells again what was not."""
        return self._sender is not None and await self._run(self._sender, number, what)

    async def close(self, within: float = CLOSING) -> None:
        """Let messages under way be sent, for ``within`` seconds at most; the others are given up."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=within)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, sender: SmsSender, number: MobileNumber, what: Told) -> bool:
        try:
            reason = await self._sent(sender, number, what)
        except RateLimited as full:
            reason = full.code
        except (StoreUnavailable, VendorUnavailable, TimeoutError):
            reason = "unavailable"
        except Exception as error:  # noqa: BLE001 - nobody else is there to hear of it
            reason = type(error).__name__
        if reason is None:
            log.info("told", what=what)
        else:
            log.warning("not_told", what=what, reason=reason)
        return reason is None

    async def _sent(self, sender: SmsSender, number: MobileNumber, what: Told) -> str | None:
        """Count the message and send it; return why it was not sent, or None."""
        if what is Told.MANDATE_OFFERED:
            await self._limits.count_offer(number)
        else:
            await self._limits.count_warning(number)
        words = self._words.told(what)
        sms = Sms(
            reference=self._entropy.octets(16).hex(),
            to=number.digits,
            text=words.text,
            template=words.template,
            parameters=words.parameters,
        )
        async with asyncio.timeout(PATIENCE):
            answer = await sender.send(sms)
        return None if isinstance(answer, SmsAccepted) else answer.kind
