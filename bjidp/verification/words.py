"""What messages say: their shape, and who knows the words.

Owns the shapes. The words themselves are in the catalogue, which no feature reads.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from bjidp.verification.code import Purpose


class SmsWords(Struct, frozen=True):
    """One message, as whole words and as a template's values."""

    text: str
    template: str
    parameters: tuple[str, ...]

    def __repr__(self) -> str:
        """Show the name of the template alone: the rest has the code in it."""
        return f"SmsWords({self.template}, ***)"


class MailWords(Struct, frozen=True):
    """One mail."""

    subject: str
    text: str

    def __repr__(self) -> str:
        """Show the subject alone: the text has the code in it."""
        return f"MailWords({self.subject}, ***)"


class Words(Protocol):
    """Knows what short messages say."""

    def sms(self, purpose: Purpose, code: str) -> SmsWords:
        """Return the message that brings ``code`` for ``purpose``."""
        ...


class MailTexts(Protocol):
    """Knows what mail says."""

    def mail(self, purpose: Purpose, code: str) -> MailWords:
        """Return the mail that brings ``code`` for ``purpose``, which is one that codes are sent by mail for."""
        ...
