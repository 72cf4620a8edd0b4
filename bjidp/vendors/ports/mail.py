"""Mail."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import Struct


class Mail(Struct, frozen=True, kw_only=True):
    """A mail to one person, in plain text."""

    reference: str
    """Ours: 1 to 32 characters of ``[0-9A-Za-z]``, unique for ever."""
    to: str
    """A mail address in its normal form: ASCII, without a display name."""
    subject: str
    text: str

    def __repr__(self) -> str:
        """Show that there is one: addresses, words and codes never reach a log or a traceback."""
        return "Mail(***)"


class MailRefusal(StrEnum):
    """Why a mail is not taken: the first three are about it, the others about us."""

    ADDRESS = "address"
    """There is no such mailbox, as far as the server knows."""
    BUSY = "busy"
    """Not now, for this mailbox."""
    CONTENT = "content"
    CREDENTIALS = "credentials"
    SENDER = "sender"
    """We may not send under our address, or not from here."""

    @property
    def alarm(self) -> bool:
        """Whether an operator has to mend it: until then nobody gets a mail."""
        return self in {MailRefusal.CREDENTIALS, MailRefusal.SENDER}


class MailAccepted(Struct, frozen=True):
    """The mail server has taken the mail; whether it arrives, nobody tells."""


class MailRefused(Struct, frozen=True):
    """The mail server has not taken the mail; nothing is sent."""

    kind: MailRefusal


MailAnswer: TypeAlias = MailAccepted | MailRefused


class MailSender(Protocol):
    """Somebody who brings mail."""

    async def send(self, mail: Mail) -> MailAnswer:
        """Hand ``mail`` over, within the seconds its builder states; raise ``VendorUnavailable``.

        After ``VendorUnavailable`` the mail may be on its way all the same.
        """
        ...
