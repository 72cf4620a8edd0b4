"""The phone button: ``<button open-type="getPhoneNumber">`` on the phone, ``wxa/business/getuserphonenumber`` here.

A press gives a code of five minutes and one use, and, to somebody who is logged in, the same facts encrypted under
their session key, which is how it was before there was a code. The ``openid`` beside the code is optional; one of
somebody else is refused, by a number from memory.
"""

from __future__ import annotations

import base64
import json

from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from msgspec import Struct

from bjidp.sandbox.buttons import NoNumber
from bjidp.sandbox.clock import SECOND, Clock
from bjidp.sandbox.credentials import WechatApp
from bjidp.sandbox.entropy import Entropy, hexadecimal
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.openids import OpenIds
from bjidp.sandbox.settings import WechatRules
from bjidp.sandbox.wechat.answers import Answer, WechatError, json_object
from bjidp.sandbox.wechat.login import Login
from bjidp.sandbox.wechat.tokens import AccessTokens

_IV = 16


class _Press(Struct, frozen=True):
    user: str
    facts: Answer


class Phone:
    """The numbers of one app's users."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        app: WechatApp,
        rules: WechatRules,
        tokens: AccessTokens,
        open_ids: OpenIds,
        login: Login,
    ) -> None:
        """Encrypt with the session keys of ``login``."""
        self._clock = clock
        self._entropy = entropy
        self._app = app
        self._rules = rules
        self._tokens = tokens
        self._open_ids = open_ids
        self._login = login
        self._presses: Expiring[_Press] = Expiring()

    def press(self, user: str, number: str | None) -> dict[str, str]:
        """See :class:`bjidp.sandbox.buttons.PhoneButton`."""
        if number is None:
            raise NoNumber
        now = self._clock.now()
        code = hexadecimal(self._entropy, 64)
        facts: Answer = {
            "phoneNumber": number,
            "purePhoneNumber": number,
            "countryCode": "86",
            "watermark": {"timestamp": now // SECOND, "appid": self._app.app_id},
        }
        self._presses.put(code, _Press(user, facts), until=now + self._rules.phone_code_lifetime, now=now)
        given = {"code": code}
        key = self._login.session_key(user)
        if key is not None:
            iv = self._entropy.octets(_IV)
            text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
            given |= {"encryptedData": encrypted(key, iv, text.encode()), "iv": base64.b64encode(iv).decode("ascii")}
        return given

    async def getuserphonenumber(self, request: web.Request) -> Answer:
        """Answer ``POST /wxa/business/getuserphonenumber``."""
        self._tokens.check(request)
        body = await json_object(request)
        code, open_id = body.get("code"), body.get("openid")
        now = self._clock.now()
        press = self._presses.get(code, now) if isinstance(code, str) else None
        if press is None:
            raise WechatError(40029)
        if open_id is not None and open_id != self._open_ids.wechat(press.user):
            raise WechatError(40003)
        self._presses.put(str(code), press, until=now, now=now)
        return {"errcode": 0, "errmsg": "ok", "phone_info": press.facts}


def encrypted(key: bytes, iv: bytes, text: bytes) -> str:
    """Encrypt as ``encryptedData`` is: AES-128-CBC with PKCS#7 padding, in Base64."""
    padder = PKCS7(8 * len(iv)).padder()
    padded = padder.update(text) + padder.finalize()
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")
