"""The phone button: ``<button open-type="getPhoneNumber">`` gives the number, encrypted under the session key.

AES-192-CBC. The plaintext is sixteen random bytes, the length of the content in four bytes with the most significant
first, the content and the AppKey, filled up by PKCS#7 to blocks of 32 bytes.
"""

from __future__ import annotations

import base64
import json
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from bjidp.sandbox.baidu.session import Session
from bjidp.sandbox.buttons import NoNumber, NotLoggedIn
from bjidp.sandbox.credentials import BaiduApp
from bjidp.sandbox.entropy import Entropy

_IV: Final = 16
_RANDOM: Final = 16
_BLOCK_BITS: Final = 256


class Phone:
    """The numbers of one app's users."""

    def __init__(self, *, entropy: Entropy, app: BaiduApp, login: Session) -> None:
        """Encrypt with the session keys of ``login``."""
        self._entropy = entropy
        self._app = app
        self._login = login

    def press(self, user: str, number: str | None) -> dict[str, str]:
        """See :class:`bjidp.sandbox.buttons.PhoneButton`."""
        if number is None:
            raise NoNumber
        key = self._login.session_key(user)
        if key is None:
            raise NotLoggedIn
        iv = self._entropy.octets(_IV)
        content = json.dumps({"mobile": number}, separators=(",", ":")).encode()
        data = encrypted(base64.b64decode(key), iv, self._entropy.octets(_RANDOM), content, self._app.client_id)
        return {"data": data, "iv": base64.b64encode(iv).decode("ascii")}


def encrypted(key: bytes, iv: bytes, random: bytes, content: bytes, app_key: str) -> str:
    """Encrypt ``content`` for an app, in Base64."""
    padder = PKCS7(_BLOCK_BITS).padder()
    padded = padder.update(random + len(content).to_bytes(4, "big") + content + app_key.encode()) + padder.finalize()
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")
