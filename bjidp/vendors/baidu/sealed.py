"""What Baidu encrypts under the session key of a login: ``data`` with its ``iv``. Pure.

Owns the cipher (AES-192-CBC, padded to 32 bytes) and the layout of the plaintext: sixteen random bytes, the length of
the content in four, most significant first, the content, and the key of the app that it was made for.
"""

from __future__ import annotations

import hmac
from typing import Final

from bjidp.secret import Secret
from bjidp.vendors.aes_cbc import IV_BYTES, Undecipherable, octets, plaintext

KEY_BYTES: Final = 24
BLOCK: Final = 32

_LENGTH_AT: Final = 16
_CONTENT_AT: Final = 20


def opened(data: str, iv: str, session_key: Secret, app_key: str) -> bytes:
    """Return the content of ``data``; raise ``Undecipherable``, also when it was made for another app."""
    text = plaintext(
        octets(data),
        # 32 characters that look like hexadecimal and are Base64.
        key=octets(session_key.text(), KEY_BYTES),
        iv=octets(iv, IV_BYTES),
        block=BLOCK,
    )
    length = int.from_bytes(text[_LENGTH_AT:_CONTENT_AT], "big")
    content, tail = text[_CONTENT_AT : _CONTENT_AT + length], text[_CONTENT_AT + length :]
    if len(text) < _CONTENT_AT or len(content) != length or not hmac.compare_digest(tail, app_key.encode()):
        raise Undecipherable
    return content
