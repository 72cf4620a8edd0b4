"""How a platform names its users to a mini-program.

One user has one openid for each app, the same after every restart, so that an account bound to it stays bound. An
openid carries a tag of its app: whether it belongs to an app can be told without keeping a list.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from bjidp.sandbox.entropy import base64url

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NAME = 12
_TAG = 8


class OpenIds:
    """The openids of one app on one platform."""

    def __init__(self, seed: str, platform: str, app_id: str) -> None:
        """Derive them from ``seed``, which a platform never tells."""
        self._key = hmac.digest(seed.encode(), f"{platform}|{app_id}".encode(), "sha256")

    def wechat(self, user: str) -> str:
        """Return 28 characters that begin with ``o``, as WeChat's do."""
        name = self._mac(b"user", user.encode())[:_NAME]
        return "o" + base64url(name + self._mac(b"tag", name)[:_TAG])

    def is_wechat(self, open_id: str) -> bool:
        """Tell whether ``open_id`` is one of this app's."""
        try:
            octets = base64.b64decode(open_id[1:] + "=", altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return False
        name, tag = octets[:_NAME], octets[_NAME:]
        return open_id == "o" + base64url(octets) and hmac.compare_digest(tag, self._mac(b"tag", name)[:_TAG])

    def alipay(self, user: str) -> str:
        """Return an ``open_id`` in Alipay's form: 43 characters."""
        return base64url(self._mac(b"user", user.encode()))

    def alipay_user_id(self, user: str) -> str:
        """Return the 16 digits that older Alipay apps are told: 2088 and twelve more."""
        return "2088" + str(int.from_bytes(self._mac(b"user-id", user.encode())[:8], "big") % 10**12).zfill(12)

    def baidu(self, user: str) -> str:
        """Return 26 letters and digits, as Baidu's are."""
        number = int.from_bytes(self._mac(b"user", user.encode()), "big")
        text = ""
        for _ in range(26):
            number, digit = divmod(number, len(_BASE62))
            text += _BASE62[digit]
        return text

    def baidu_user_id(self, user: str) -> int:
        """Return the number that older Baidu apps are told."""
        return int.from_bytes(self._mac(b"user-id", user.encode())[:5], "big")

    def _mac(self, label: bytes, value: bytes) -> bytes:
        return hmac.digest(self._key, label + b"|" + value, "sha256")
