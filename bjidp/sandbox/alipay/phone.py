"""The phone button: ``my.getPhoneNumber`` gives the client what the gateway encrypted and signed for the app.

Nothing in it names the user, the moment or the press, so one number gives the same text each time.
"""

from __future__ import annotations

import json

from bjidp.sandbox.alipay import content, signing
from bjidp.sandbox.credentials import AlipayApp


class Phone:
    """The numbers of one app's users."""

    def __init__(self, *, app: AlipayApp) -> None:
        """Encrypt and sign for ``app``."""
        self._app = app

    def press(self, user: str, number: str | None) -> dict[str, str]:
        """See :class:`bjidp.sandbox.buttons.PhoneButton`. Who has no number gets an empty one."""
        told = {"code": "10000", "msg": "Success", "mobile": number or ""}
        response = content.encrypt(self._app.aes_key, json.dumps(told, separators=(",", ":")))
        # Of what is encrypted the signature covers the two quotes too.
        return {"response": response, "sign": signing.sign(self._app.gateway_key, f'"{response}"'.encode())}
