"""WeChat's phone button: a code that WeChat is asked with, or, of older clients, the number encrypted for us.

Owns ``wxa/business/getuserphonenumber`` and the form of what both tell. The code is sent with the openid that it has to
be of, so that one person's code binds no number to another's account; of the encrypted form the session key sees to
that.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from bjidp.clock import Clock
from bjidp.errors import VendorUnavailable
from bjidp.vendors.aes_cbc import Undecipherable
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.platforms import (
    PhoneAnswer,
    PhoneCode,
    PhoneGiven,
    PhoneRefusal,
    PlatformLogin,
    SealedPhone,
    VerifiedPhone,
)
from bjidp.vendors.wechat import codes
from bjidp.vendors.wechat.sealed import Watermark, opened
from bjidp.vendors.wechat.token import WechatCalls

_OPERATION: Final = "getuserphonenumber"
_MAINLAND: Final = "86"


class _Ask(Struct, frozen=True):
    code: str
    openid: str


class _Number(Struct, frozen=True):
    phoneNumber: str  # noqa: N815 - as WeChat writes it
    purePhoneNumber: str  # noqa: N815 - same
    countryCode: str | int  # noqa: N815 - same
    watermark: Watermark


class _SealedMark(Watermark, frozen=True, forbid_unknown_fields=True):
    pass


class _SealedNumber(_Number, frozen=True, forbid_unknown_fields=True):
    """Nothing else is in it: what a member that is passed over may hold is where texts are cut and joined."""

    watermark: _SealedMark


class _Told(Struct, frozen=True):
    errcode: int = codes.OK
    phone_info: _Number | None = None


_sealed_number = msgspec.json.Decoder(_SealedNumber)


class WechatPhone:
    """Implements :class:`bjidp.vendors.ports.platforms.PhoneNumbers`."""

    forms: tuple[type[PhoneGiven], ...] = (PhoneCode, SealedPhone)
    distinct = True

    def __init__(self, http: VendorHttp, calls: WechatCalls, *, app_id: str, clock: Clock) -> None:
        """Tell numbers of users of the mini-program ``app_id``."""
        self._http = http
        self._calls = calls
        self._app_id = app_id
        self._clock = clock

    async def number(self, login: PlatformLogin, given: PhoneGiven) -> PhoneAnswer:
        match given:
            case PhoneCode():
                told = await self._asked(login, given)
            case SealedPhone():
                told = self._read(login, given)
            case _:
                told = None
        if told is None or not self._is_ours(told):
            return PhoneRefusal.UNPROVED
        if str(told.countryCode) != _MAINLAND:
            return PhoneRefusal.FOREIGN
        return VerifiedPhone(told.purePhoneNumber) if told.purePhoneNumber else PhoneRefusal.ABSENT

    async def _asked(self, login: PlatformLogin, given: PhoneCode) -> _Number | None:
        ask = _Ask(given.code, login.identity.open_id)
        answer = await self._calls.post(_OPERATION, "/wxa/business/getuserphonenumber", ask, _Told)
        if answer.errcode in codes.PHONE_CODE_REFUSED:
            self._http.refused(_OPERATION, str(answer.errcode))
            return None
        if answer.errcode != codes.OK:
            codes.unavailable(self._http, _OPERATION, answer.errcode)
        if answer.phone_info is None:
            self._http.alarm(_OPERATION, "no_phone_info")
            raise VendorUnavailable
        return answer.phone_info

    def _read(self, login: PlatformLogin, given: SealedPhone) -> _Number | None:
        if login.session_key is None:
            return None
        try:
            return _sealed_number.decode(opened(given.data, given.iv, login.session_key))
        except (Undecipherable, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def _is_ours(self, told: _Number) -> bool:
        """Tell whether the number was told to this app, and just now.

        By the IV whoever sends a text chooses its first block, and leaves out what came before it. The number stands in
        two members, which do not fit into one block: neither was put there in place of the other.
        """
        mark = told.watermark
        whole = told.phoneNumber.endswith(told.purePhoneNumber)
        return mark.appid == self._app_id and mark.is_fresh(self._clock.now()) and whole
