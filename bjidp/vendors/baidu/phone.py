"""Baidu's phone button: the number, encrypted for us under the session key of the login that asked.

Owns the form of the number. It has no time of its own: it can be read as long as the session key is kept.

Other texts come under the same key in the same layout, a profile with a nickname that its user chose among them, and in
CBC whoever cuts texts up writes one block as they like, the one behind the random bytes that nobody reads. So a content
is read byte by byte: its second block would have to be chosen too.
"""

from __future__ import annotations

import re
from typing import Final

from bjidp.vendors.aes_cbc import Undecipherable
from bjidp.vendors.baidu.sealed import opened
from bjidp.vendors.ports.platforms import (
    PhoneAnswer,
    PhoneGiven,
    PhoneRefusal,
    PlatformLogin,
    SealedPhone,
    VerifiedPhone,
)

_NUMBER: Final = re.compile(rb'\{"mobile":"([0-9]{11})"\}')
_NO_NUMBER: Final = b'{"mobile":""}'


class BaiduPhone:
    """Implements :class:`bjidp.vendors.ports.platforms.PhoneNumbers`."""

    forms: tuple[type[PhoneGiven], ...] = (SealedPhone,)
    distinct = True

    def __init__(self, *, app_key: str) -> None:
        """Read numbers of users of the smart program of ``app_key``; nobody is asked."""
        self._app_key = app_key

    async def number(self, login: PlatformLogin, given: PhoneGiven) -> PhoneAnswer:
        if not isinstance(given, SealedPhone) or login.session_key is None:
            return PhoneRefusal.UNPROVED
        try:
            content = opened(given.data, given.iv, login.session_key, self._app_key)
        except Undecipherable:
            return PhoneRefusal.UNPROVED
        if content == _NO_NUMBER:
            return PhoneRefusal.ABSENT
        told = _NUMBER.fullmatch(content)
        return PhoneRefusal.UNPROVED if told is None else VerifiedPhone(told[1].decode())
