"""What the platforms encrypt, written a second time from their documents."""

from __future__ import annotations

import base64
import json
import os
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

WECHAT_KEY: Final = "SHVzaEh1c2hIdXNoSHVzaA=="
BAIDU_KEY: Final = "981ce8b151c0599acf7ad1a673c6ff5e"
ALIPAY_KEY: Final = "ICEiIyQlJicoKSorLC0uLw=="

ZERO: Final = bytes(16)


def base64_text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def padded(text: bytes, block: int) -> bytes:
    """Fill up to whole blocks, each byte telling how many there are."""
    count = block - len(text) % block
    return text + bytes([count]) * count


def cbc(key: str, iv: bytes, text: bytes) -> bytes:
    """Encrypt whole blocks as they are."""
    encryptor = Cipher(algorithms.AES(base64.b64decode(key)), modes.CBC(iv)).encryptor()
    return encryptor.update(text) + encryptor.finalize()


def of_wechat(told: object, *, key: str = WECHAT_KEY, iv: bytes = ZERO) -> tuple[str, str]:
    """Return encryptedData and iv."""
    text = told if isinstance(told, bytes) else json.dumps(told).encode()
    return base64_text(cbc(key, iv, padded(text, 16))), base64_text(iv)


def of_baidu(told: object, app_key: str, *, key: str = BAIDU_KEY, iv: bytes = ZERO) -> tuple[str, str]:
    """Return data and iv."""
    text = told if isinstance(told, bytes) else json.dumps(told, separators=(",", ":")).encode()
    layout = os.urandom(16) + len(text).to_bytes(4, "big") + text + app_key.encode()
    return base64_text(cbc(key, iv, padded(layout, 32))), base64_text(iv)


def of_alipay(told: object, *, key: str = ALIPAY_KEY) -> str:
    """Return the encrypted response."""
    text = told if isinstance(told, bytes) else json.dumps(told, separators=(",", ":")).encode()
    return base64_text(cbc(key, ZERO, padded(text, 16)))


def wechat_number(number: str, app_id: str, at: int, *, country: str = "86", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return WeChat's ``phone_info``; ``at`` is in seconds."""
    whole = number if country == "86" else f"+{country}{number}"
    info = {"phoneNumber": whole, "purePhoneNumber": number, "countryCode": country}
    return {**info, "watermark": {"timestamp": at, "appid": app_id}, **more}
