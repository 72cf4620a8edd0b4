"""What a government platform and its client encrypt for each other: a block of 128 bits in ECB mode, in hexadecimal.

Owns both ways. Pure; called by ``national``, and by ``config`` so that a wrong key is told with every other fault. ECB
hides no repetition and proves no origin: it is the platform's choice, and what is read is held to a form of its own.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.padding import PKCS7

from bjidp.secret import Secret

Suite: TypeAlias = Literal["aes", "sm4"]

KEY_BYTES: Final = 16
BLOCK_BITS: Final = 128


def read_key(secret: Secret) -> bytes:
    """Return the key that a client secret is in hexadecimal; raise :class:`ValueError`, without quoting it."""
    text = secret.reveal()
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        key = b""
    if len(key) != KEY_BYTES or len(text) != 2 * KEY_BYTES:
        raise ValueError(f"must be {2 * KEY_BYTES} hexadecimal digits")
    return key


def sealed(text: str, key: bytes, suite: Suite) -> str:
    """Encrypt ``text``."""
    padder = PKCS7(BLOCK_BITS).padder()
    encryptor = _cipher(key, suite).encryptor()
    return (encryptor.update(padder.update(text.encode()) + padder.finalize()) + encryptor.finalize()).hex()


def opened(text: str, key: bytes, suite: Suite) -> bytes:
    """Decrypt what was encrypted so; raise :class:`ValueError` for what was not, without saying why."""
    unpadder = PKCS7(BLOCK_BITS).unpadder()
    decryptor = _cipher(key, suite).decryptor()
    try:
        padded = decryptor.update(bytes.fromhex(text)) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise ValueError("not encrypted under this key") from None


def _cipher(key: bytes, suite: Suite) -> Cipher[ECB]:
    return Cipher(AES(key) if suite == "aes" else SM4(key), ECB())  # noqa: S305 - the platform's choice
