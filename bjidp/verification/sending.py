"""What becomes of a message with a code in it: the record that the page asks about. Pure.

Owns the record, how it ends, and how a recent sending is imitated where nothing is sent.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from bjidp.vendors.ports.mail import MailAccepted, MailAnswer, MailRefusal
from bjidp.vendors.ports.sms import SmsAccepted, SmsAnswer, SmsRefusal
from bjidp.verification.code import Channel, Purpose


class Failure(StrEnum):
    """Why a message was not sent."""

    NUMBER = "number"
    """The provider does not bring messages to this number."""
    ADDRESS = "address"
    """There is no such mailbox."""
    BUSY = "busy"
    """The provider has brought too many messages there lately."""
    UNAVAILABLE = "unavailable"
    """The provider did not take the message, or nobody knows."""
    UNDELIVERED = "undelivered"
    """The provider took the message, and its operator could not bring it."""


class End(Struct, frozen=True):
    """How a sending ends. Without a failure the provider has accepted the message."""

    failure: Failure | None = None


class Outcome(StrEnum):
    """How far a sending has come."""

    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Progress(Struct, frozen=True):
    """How far a sending has come; ``reason`` says why it has failed."""

    channel: Channel
    outcome: Outcome
    reason: Failure | None = None


class Dispatch(Struct, frozen=True):
    """A sending as it is kept: the digest of whose it is, and how it has ended, if it has.

    Of one that is ``discreet`` nothing is told that only a real address could meet.
    """

    holder: bytes
    channel: Channel
    discreet: bool = False
    end: End | None = None


class Sending(Struct, frozen=True):
    """How a sending went: the seconds it took, and its end."""

    seconds: float
    end: End


SENT: Final = End()
UNAVAILABLE: Final = End(Failure.UNAVAILABLE)
UNDELIVERED: Final = End(Failure.UNDELIVERED)

_MAIL_REFUSALS: Final = {MailRefusal.ADDRESS: Failure.ADDRESS, MailRefusal.BUSY: Failure.BUSY}
_SMS_REFUSALS: Final = {SmsRefusal.NUMBER: Failure.NUMBER, SmsRefusal.FREQUENCY: Failure.BUSY}


def progress(dispatch: Dispatch, *, under_way: bool) -> Progress:
    """Return how far a sending has come; one that is not ``under_way`` and has no end was lost with its process."""
    end = dispatch.end
    if end is None:
        if under_way:
            return Progress(dispatch.channel, Outcome.SENDING)
        end = UNAVAILABLE
    if end.failure is None:
        return Progress(dispatch.channel, Outcome.SENT)
    return Progress(dispatch.channel, Outcome.FAILED, end.failure)


def judged_mail(answer: MailAnswer) -> End:
    """Return how a mail ends by the server's answer."""
    if isinstance(answer, MailAccepted):
        return SENT
    return End(_MAIL_REFUSALS.get(answer.kind, Failure.UNAVAILABLE))


def judged_sms(answer: SmsAnswer) -> End:
    """Return how an SMS ends by the provider's answer."""
    if isinstance(answer, SmsAccepted):
        return SENT
    return End(_SMS_REFUSALS.get(answer.kind, Failure.UNAVAILABLE))


def is_discreet(purpose: Purpose) -> bool:
    """Tell whether a code for ``purpose`` may be a decoy's, which has no number to be wrong, busy or out of reach.

    To tell that of a real one would tell that the account is real (attack R1).
    """
    return purpose is Purpose.RECOVER


def ended(dispatch: Dispatch, end: End) -> Dispatch | None:
    """Return the record with its end, by the provider's answer; None when it stays as it is."""
    if dispatch.end is not None:
        # The operator's report was faster, and says more.
        return None
    if dispatch.discreet and end.failure is not None:
        end = UNAVAILABLE
    return msgspec.structs.replace(dispatch, end=end)


def reported(dispatch: Dispatch, *, delivered: bool) -> Dispatch | None:
    """Return the record with the end that the operator reports; None when it stays as it is.

    Reports come late, twice and out of order, and of messages whose acceptance was never heard of.
    """
    if dispatch.discreet or dispatch.end == UNDELIVERED:
        return None
    if delivered:
        return None if dispatch.end == SENT else msgspec.structs.replace(dispatch, end=SENT)
    return msgspec.structs.replace(dispatch, end=UNDELIVERED) if dispatch.end in {None, SENT} else None


class Recent:
    """The last few SMS of this process, which decoys take after."""

    def __init__(self, kept: int = 8) -> None:
        """Keep so many."""
        # Until something was sent: what a provider in order takes.
        self._sendings = deque([Sending(0.4, SENT)], kept)

    def note(self, sending: Sending) -> None:
        """Remember a sending, unless its end says more about its number than about the provider."""
        if sending.end in {SENT, UNAVAILABLE}:
            self._sendings.append(sending)

    def pick(self, octet: int) -> Sending:
        """Return one of them, by a number that nobody can guess."""
        return self._sendings[octet % len(self._sendings)]
