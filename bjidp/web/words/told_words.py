"""What messages without a code say, from the catalogue.

Owns the keys: ``sms.told.<what>``. Called by :mod:`bjidp.accounts.telling`, as its ``ToldWords``.
"""

from __future__ import annotations

from bjidp.accounts.telling import Told
from bjidp.verification.words import SmsWords
from bjidp.web.words.texts import Texts


class ToldTexts:
    """Implements :class:`bjidp.accounts.telling.ToldWords`."""

    def __init__(self, texts: Texts) -> None:
        """Take the words from ``texts``."""
        self._texts = texts

    def told(self, what: Told) -> SmsWords:
        """Return the message; a provider that knows templates alone has it as ``told.<what>``."""
        return SmsWords(self._texts.plain(f"sms.told.{what}"), f"told.{what}", ())
