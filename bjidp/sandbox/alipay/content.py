"""Content encryption: AES-128-CBC with sixteen zero bytes as IV and PKCS#7 padding, in Base64."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

_IV: Final = bytes(16)
_BLOCK_BITS: Final = 128


class NotDecryptable(Exception):
    """The text is no ciphertext under this key."""


def encrypt(aes_key: str, text: str) -> str:
    """Encrypt ``text`` under a key given in Base64."""
    padder = PKCS7(_BLOCK_BITS).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = Cipher(AES(base64.b64decode(aes_key)), CBC(_IV)).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")


def decrypt(aes_key: str, ciphertext: str) -> str:
    """Decrypt what :func:`encrypt` or a caller made; raise :class:`NotDecryptable`."""
    decryptor = Cipher(AES(base64.b64decode(aes_key)), CBC(_IV)).decryptor()
    unpadder = PKCS7(_BLOCK_BITS).unpadder()
    try:
        padded = decryptor.update(base64.b64decode(ciphertext, validate=True)) + decryptor.finalize()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except (binascii.Error, ValueError) as error:
        raise NotDecryptable from error
