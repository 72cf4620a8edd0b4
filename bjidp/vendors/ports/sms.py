"""Short messages, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import Struct

from bjidp.clock import Instant


class Sms(Struct, frozen=True, kw_only=True):
    """A short message to one person, in both forms that providers take: whole words, or values for a template."""

    reference: str
    """Ours: 1 to 32 characters of ``[0-9A-Za-z]``. A report of its delivery repeats it."""
    to: str
    """A mainland mobile number in its normal form: eleven digits."""
    text: str
    """The words without the sender's signature, which is each provider's setting."""
    template: str
    """Our name for these words; each provider's setting tells its own."""
    parameters: tuple[str, ...] = ()
    """What fills the template, in its order."""

    def __repr__(self) -> str:
        """Show the name of the template alone: numbers, words and codes never reach a log or a traceback."""
        return f"Sms({self.template}, ***)"


class SmsRefusal(StrEnum):
    """Why a provider does not send a message: the first three are about it, the others about us."""

    NUMBER = "number"
    CONTENT = "content"
    FREQUENCY = "frequency"
    BALANCE = "balance"
    CREDENTIALS = "credentials"
    ADDRESS = "address"
    ACCOUNT = "account"
    """Suspended, run out, or without the right to send this."""
    REQUEST = "request"
    """The provider does not understand us, or has nothing under this name."""

    @property
    def alarm(self) -> bool:
        """Whether an operator has to mend it: until then nobody gets a message from this provider."""
        return self not in {SmsRefusal.NUMBER, SmsRefusal.CONTENT, SmsRefusal.FREQUENCY}


class SmsAccepted(Struct, frozen=True):
    """The provider has taken the message; whether it arrives, a report tells later.

    ``message`` is the provider's own id, unique for ``provider``.
    """

    provider: str
    message: str


class SmsRefused(Struct, frozen=True):
    """The provider has not taken the message; nothing is sent."""

    kind: SmsRefusal


SmsAnswer: TypeAlias = SmsAccepted | SmsRefused


class SmsSender(Protocol):
    """Somebody who brings short messages to phones."""

    async def send(self, sms: Sms) -> SmsAnswer:
        """Hand ``sms`` over, within the seconds its builder states; raise ``VendorUnavailable``.

        After ``VendorUnavailable`` the message may be on its way all the same, so another attempt says the same words.
        """
        ...


class SmsReport(Struct, frozen=True, kw_only=True):
    """What became of a message that a provider had taken. Anybody may have made it up, and it may come twice."""

    message: str
    """The provider's id, as in :class:`SmsAccepted`."""
    reference: str
    """Ours; empty where the provider does not repeat it."""
    to: str
    delivered: bool
    status: str
    """The operator's word."""
    at: Instant
    """When the operator reported, to the minute."""

    def __repr__(self) -> str:
        """Leave the number out."""
        return f"SmsReport({self.message!r}, {self.status!r}, ***)"


class PushFault(StrEnum):
    """Why what was pushed is no report."""

    FOREIGN = "foreign"
    """Whoever brings it does not know the words that were agreed with the provider."""
    UNREADABLE = "unreadable"


class SmsPush(Protocol):
    """Reads the reports that a provider brings by itself."""

    taken: bytes
    """What tells the provider that a report need not be brought again."""

    def read(self, query: Iterable[tuple[str, str]]) -> SmsReport | PushFault:
        """Return the report in the query of a push."""
        ...


class SmsPull(Protocol):
    """Asks a provider for reports."""

    async def pull(self) -> Sequence[SmsReport]:
        """Return the oldest reports that were not handed out yet, a hundred at most; raise ``VendorUnavailable``.

        Each is handed out once.
        """
        ...
