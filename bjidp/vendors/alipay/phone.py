"""Alipay's phone button: ``my.getPhoneNumber`` gives the client what Alipay signed and encrypted for the app.

Owns the form of that. Nothing in it names the user, the moment or this one press of the button: encryption and
signature of a number are the same at all times. So it tells that somebody had this number once; who presents it, and
how often, is the caller's to hold together.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from bjidp.errors import VendorUnavailable
from bjidp.secret import Secret
from bjidp.vendors.aes_cbc import IV_BYTES, Undecipherable, octets, plaintext, read_key
from bjidp.vendors.alipay.signing import AnswerKey
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.platforms import (
    PhoneAnswer,
    PhoneGiven,
    PhoneRefusal,
    PlatformLogin,
    SignedPhone,
    VerifiedPhone,
)

KEY_BYTES: Final = 16
BLOCK: Final = 16

_OPERATION: Final = "getPhoneNumber"
_SUCCESS: Final = "10000"
_NOT_GRANTED: Final = "isv.invalid-auth-relations"


_Answer = TypeVar("_Answer")


class _Told(Struct, frozen=True):
    code: str
    subCode: str = ""  # noqa: N815 - as Alipay writes it, here and not on its gateway


class _Number(Struct, frozen=True, forbid_unknown_fields=True):
    """A success, and nothing else: what else Alipay encrypts for the app is signed alike, and may name a number."""

    code: str
    msg: str = ""
    mobile: str = ""


_told = msgspec.json.Decoder(_Told)
_number = msgspec.json.Decoder(_Number)


class ContentKey:
    """The app's AES key, under which Alipay encrypts content for it."""

    def __init__(self, key: Secret) -> None:
        """Read the key; raise :class:`ValueError` as ``vendors.aes_cbc`` does."""
        self._key = read_key(key, KEY_BYTES)

    def opened(self, content: str) -> bytes:
        """Decrypt ``content``; raise ``Undecipherable``. Alipay's IV is sixteen zero bytes."""
        return plaintext(octets(content), key=self._key, iv=bytes(IV_BYTES), block=BLOCK)


class AlipayPhone:
    """Implements :class:`bjidp.vendors.ports.platforms.PhoneNumbers`."""

    forms: tuple[type[PhoneGiven], ...] = (SignedPhone,)
    distinct = False

    def __init__(self, http: VendorHttp, *, answer_key: AnswerKey, content_key: ContentKey) -> None:
        """Believe what ``answer_key`` verifies; ``http`` is where faults are logged, and nothing is sent."""
        self._http = http
        self._answer_key = answer_key
        self._content_key = content_key

    async def number(self, login: PlatformLogin, given: PhoneGiven) -> PhoneAnswer:
        if not isinstance(given, SignedPhone):
            return PhoneRefusal.UNPROVED
        plain = given.response.startswith("{")
        # Of what is encrypted the signature covers the two quotes too.
        signed = given.response if plain else f'"{given.response}"'
        if not self._answer_key.verifies(signed.encode("utf-8", "replace"), given.sign):
            return PhoneRefusal.UNPROVED
        content = given.response.encode("utf-8", "replace") if plain else self._opened(given.response)
        told = self._decoded(_told, content)
        if told.code != _SUCCESS:
            return self._refused(told)
        if plain:
            # Much is signed by this key; a number is believed in the form alone that numbers come in.
            raise self._unavailable("not_encrypted")
        number = self._decoded(_number, content)
        return VerifiedPhone(number.mobile) if number.mobile else PhoneRefusal.ABSENT

    def _opened(self, response: str) -> bytes:
        """Decrypt what Alipay has signed: where that can't be, our key is wrong."""
        try:
            return self._content_key.opened(response)
        except Undecipherable:
            raise self._unavailable("undecipherable") from None

    def _decoded(self, decoder: msgspec.json.Decoder[_Answer], content: bytes) -> _Answer:
        try:
            return decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._unavailable("malformed") from None

    def _refused(self, told: _Told) -> PhoneRefusal:
        if told.subCode != _NOT_GRANTED:
            raise self._unavailable(told.subCode or told.code)
        self._http.refused(_OPERATION, told.subCode)
        return PhoneRefusal.UNPROVED

    def _unavailable(self, reason: str) -> VendorUnavailable:
        self._http.alarm(_OPERATION, reason)
        return VendorUnavailable()
