"""What platforms encrypt for an app: AES in CBC mode (NIST SP 800-38A), padded as PKCS #7 (RFC 5652, section 6.3).

Owns reading Base64, decrypting, and the one way in which both fail: whoever may send ciphertext must not learn from an
answer what is wrong with it, or the plaintext can be read off byte by byte (a padding oracle). CBC proves nothing of
where a text comes from: callers hold it to a form of their own. Pure; called by the clients beside it, and by
``config`` so that a wrong key is told with every other fault.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from bjidp.secret import Secret

IV_BYTES: Final = 16


class Undecipherable(Exception):
    """The text is nothing that was encrypted under this key; no more is said."""


def octets(text: str, size: int | None = None) -> bytes:
    """Return the bytes behind ``text``, of exactly ``size`` where one is given; raise :class:`Undecipherable`.

    Each text has one spelling here: a second one would pass for another text where each is taken once.
    """
    try:
        read = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Undecipherable from None
    if base64.b64encode(read).decode("ascii") != text or (size is not None and len(read) != size):
        raise Undecipherable
    return read


def plaintext(data: bytes, *, key: bytes, iv: bytes, block: int) -> bytes:
    """Decrypt ``data`` and take off the padding to ``block`` bytes; raise :class:`Undecipherable`."""
    decryptor = Cipher(AES(key), CBC(iv)).decryptor()
    unpadder = PKCS7(8 * block).unpadder()
    try:
        padded = decryptor.update(data) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise Undecipherable from None


def read_key(key: Secret, size: int) -> bytes:
    """Read a key of ``size`` bytes in Base64; raise :class:`ValueError`, without quoting it, when it is none."""
    try:
        return octets(key.text().strip(), size)
    except (Undecipherable, UnicodeDecodeError):
        raise ValueError(f"is no key of {size} bytes in Base64") from None
