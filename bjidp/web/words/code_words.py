"""What messages with a code in them say, from the catalogue.

Owns the keys: ``sms.code.<purpose>`` and ``mail.code.<purpose>``. Called by :mod:`bjidp.verification.dispatch`, as its
``Words``.
"""

from __future__ import annotations

from bjidp.verification.code import Purpose
from bjidp.verification.words import MailWords, SmsWords
from bjidp.web.words.texts import Texts


class CodeWords:
    """Implements :class:`bjidp.verification.words.Words` and ``MailTexts``."""

    def __init__(self, texts: Texts) -> None:
        """Take the words from ``texts``."""
        self._texts = texts

    def sms(self, purpose: Purpose, code: str) -> SmsWords:
        """Return the message; a provider that knows templates alone has it as ``code.<purpose>``."""
        return SmsWords(self._texts.plain(f"sms.code.{purpose}", code=code), f"code.{purpose}", (code,))

    def mail(self, purpose: Purpose, code: str) -> MailWords:
        """Return the mail."""
        # The code is not in the subject, which a locked screen shows.
        return MailWords(self._texts.plain("mail.code.subject"), self._texts.plain(f"mail.code.{purpose}", code=code))
