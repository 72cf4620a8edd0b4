"""What WeChat encrypts under the session key of a login: ``encryptedData`` with its ``iv``. Pure.

Owns the cipher (AES-128-CBC, PKCS #7) and the watermark, by which a text tells whose app it was made for and when.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bjidp.clock import MINUTE, SECOND, Instant, Millis
from bjidp.secret import Secret
from bjidp.vendors.aes_cbc import IV_BYTES, octets, plaintext

KEY_BYTES: Final = 16
BLOCK: Final = 16

LIFETIME: Final[Millis] = 10 * MINUTE
"""How old what the button gave may be; its code lives for five minutes."""

AHEAD: Final[Millis] = MINUTE
"""How far WeChat's clock may be ahead of ours."""


class Watermark(Struct, frozen=True):
    """For whom and when WeChat made a text; ``timestamp`` is in seconds."""

    appid: str
    timestamp: int

    def is_fresh(self, now: Instant) -> bool:
        """Tell whether the text was made a moment ago."""
        return -AHEAD <= now - self.timestamp * SECOND <= LIFETIME


def opened(data: str, iv: str, session_key: Secret) -> bytes:
    """Decrypt ``data``; raise ``Undecipherable``."""
    return plaintext(
        octets(data),
        key=octets(session_key.text(), KEY_BYTES),
        iv=octets(iv, IV_BYTES),
        block=BLOCK,
    )
