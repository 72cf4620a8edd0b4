"""Baidu's phone button: the number, encrypted for us under the session key of the login that asked.

Owns the form of the number. It has no time of its own: it can be read as long as the session key is kept.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from bjidp.vendors.aes_cbc import Undecipherable
from bjidp.vendors.baidu.sealed import opened
from bjidp.vendors.ports import PhoneAnswer, PhoneGiven, PhoneRefusal, PlatformLogin, SealedPhone, VerifiedPhone


class _Number(Struct, frozen=True):
    mobile: str


_number = msgspec.json.Decoder(_Number)


class BaiduPhone:
    """Implements :class:`bjidp.vendors.ports.PhoneNumbers`."""

    forms: tuple[type[PhoneGiven], ...] = (SealedPhone,)
    distinct = True

    def __init__(self, *, app_key: str) -> None:
        """Read numbers of users of the smart program of ``app_key``; nobody is asked."""
        self._app_key = app_key

    async def number(self, login: PlatformLogin, given: PhoneGiven) -> PhoneAnswer:
        if not isinstance(given, SealedPhone) or login.session_key is None:
            return PhoneRefusal.UNPROVED
        try:
            told = _number.decode(opened(given.data, given.iv, login.session_key, self._app_key))
        except (Undecipherable, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return PhoneRefusal.UNPROVED
        return VerifiedPhone(told.mobile) if told.mobile else PhoneRefusal.ABSENT
