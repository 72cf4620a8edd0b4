"""How the platform knows who calls it, and what the two encrypt for each other.

A caller proves itself by ``auth_token``: its id, its secret and the time, encrypted under the secret. An answer is
``meta`` and ``data``; ``meta.code`` 0 is yes.
"""

from __future__ import annotations

import hmac
import json
from typing import Any, Final, TypeAlias

from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB

from bjidp.sandbox.clock import MINUTE, Clock
from bjidp.sandbox.credentials import WebClient
from bjidp.sandbox.people import DocumentType
from bjidp.sandbox.settings import NationalRules

Answer: TypeAlias = dict[str, Any]

CERT_TYPES: Final = {
    DocumentType.RESIDENT_ID: "1",
    DocumentType.HK_PERMIT: "8",
    DocumentType.MACAO_PERMIT: "7",
    DocumentType.TAIWAN_PERMIT: "4",
    DocumentType.PERMANENT_RESIDENT: "9",
}

_BLOCK: Final = 16
_FRESH: Final = 5 * MINUTE


class Refused(Exception):
    """The call is answered with another ``meta.code`` than zero."""

    def __init__(self, code: int, message: str) -> None:
        """Say why."""
        super().__init__(code)
        self.answer: Answer = {"meta": {"code": code, "message": message}}


class Caller:
    """The one site that may call."""

    def __init__(self, *, clock: Clock, client: WebClient, rules: NationalRules) -> None:
        """Know it as ``client``."""
        self._clock = clock
        self._client = client
        self._rules = rules

    def check(self, form: dict[str, str]) -> None:
        """Raise :class:`Refused` unless it is the caller, about now."""
        if form.get("client_id") != self._client.client_id:
            raise Refused(10001, "参数错误")
        try:
            said = self.decrypted(form.get("auth_token", ""))
        except ValueError:
            raise Refused(10002, "auth_token校验失败") from None
        who, _, sent_at = said.rpartition(":")
        own = f"{self._client.client_id}:{self._client.secret}"
        fresh = sent_at.isdecimal() and abs(self._clock.now() - int(sent_at)) <= _FRESH
        if not hmac.compare_digest(who.encode(), own.encode()) or not fresh:
            raise Refused(10002, "auth_token校验失败")

    def encrypted(self, text: str) -> str:
        """Encrypt ``text`` for the caller."""
        octets = text.encode()
        gap = _BLOCK - len(octets) % _BLOCK
        encryptor = self._cipher().encryptor()
        return (encryptor.update(octets + bytes([gap]) * gap) + encryptor.finalize()).hex()

    def decrypted(self, text: str) -> str:
        """Decrypt what the caller encrypted; raise :class:`ValueError` for anything else."""
        decryptor = self._cipher().decryptor()
        padded = decryptor.update(bytes.fromhex(text)) + decryptor.finalize()
        gap = padded[-1] if padded else 0
        if not 0 < gap <= _BLOCK or padded[-gap:] != bytes([gap]) * gap:
            raise ValueError("padding")
        return padded[:-gap].decode()

    def _cipher(self) -> Cipher[ECB]:
        key = bytes.fromhex(self._client.secret)
        return Cipher(AES(key) if self._rules.cipher == "aes" else SM4(key), ECB())  # noqa: S305 - the platform's


async def fields(request: web.Request) -> dict[str, str]:
    """Return what was sent, in the address or as a form."""
    found = dict(request.query)
    if request.method == "POST":
        found.update({name: value for name, value in (await request.post()).items() if isinstance(value, str)})
    return found


def reply(answer: Answer) -> web.Response:
    """Answer with ``answer``."""
    return web.Response(text=json.dumps(answer, ensure_ascii=False), content_type="application/json")
