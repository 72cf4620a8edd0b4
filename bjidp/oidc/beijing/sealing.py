"""The cipher of the Beijing profile, as its clients have it.

Owns ``certNo`` and ``auth_token``. The profile's guide says AES-256 and means AES-128 in ECB mode with PKCS#7: the
secret of 32 hexadecimal digits is the key, and equal numbers give equal texts. It hides nothing from whoever holds the
secret or sees two answers, so what it covers is treated as plain text everywhere (never logged, never in an address).
Pure.
"""

from __future__ import annotations

import re
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from bjidp.clock import MINUTE, Instant, Millis

WINDOW: Final[Millis] = 5 * MINUTE
"""How far the time in an ``auth_token`` may be from ours, either way."""

_SECRET: Final = re.compile(r"[0-9a-f]{32}")
_SEALED: Final = re.compile(r"(?:[0-9a-f]{32}){1,16}")
_TOKEN: Final = re.compile(r"(?P<client>[^:]{1,64}):(?P<secret>[0-9a-f]{32}):(?P<ms>[1-9][0-9]{12})")


def is_secret(text: str) -> bool:
    """Tell whether a client of the profile could have this secret: 16 bytes in lower-case hexadecimal digits."""
    return _SECRET.fullmatch(text) is not None


def sealed(text: str, secret: str) -> str:
    """Return ``text`` as the client with ``secret`` reads it, in lower-case hexadecimal digits."""
    padder = PKCS7(128).padder()
    encryptor = _cipher(secret).encryptor()
    padded = padder.update(text.encode()) + padder.finalize()
    return (encryptor.update(padded) + encryptor.finalize()).hex()


def opened(text: str, secret: str) -> str | None:
    """Return what the client with ``secret`` has sealed; None for anything else."""
    if not _SEALED.fullmatch(text):
        return None
    decryptor = _cipher(secret).decryptor()
    unpadder = PKCS7(128).unpadder()
    padded = decryptor.update(bytes.fromhex(text)) + decryptor.finalize()
    try:
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except ValueError:
        return None


def is_genuine(auth_token: str, client: str, secret: str, now: Instant) -> bool:
    """Tell whether an ``auth_token`` says ``client_id:client_secret:milliseconds`` and nothing else, of about ``now``.

    Whether it came before, only the store knows.
    """
    text = opened(auth_token, secret)
    found = None if text is None else _TOKEN.fullmatch(text)
    if found is None or found["client"] != client or found["secret"] != secret:
        return False
    return abs(now - int(found["ms"])) <= WINDOW


def _cipher(secret: str) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(bytes.fromhex(secret)), modes.ECB())  # noqa: S305 - the profile's, see the docstring
