"""WeChat's error codes: what each means for us.

Owns the closed lists; every module beside it that reads an ``errcode`` decides by them.
"""

from __future__ import annotations

from typing import Final, NoReturn

from bjidp.errors import VendorUnavailable
from bjidp.vendors.http import VendorHttp

OK: Final = 0

LOGIN_CODE_REFUSED: Final = frozenset({40029, 40163})
"""Invalid, and used before."""

LOGIN_BLOCKED: Final = 40226
"""WeChat takes the user for a risk."""

PHONE_CODE_REFUSED: Final = frozenset({40003, 40013, 40029, 40163})
"""The code of a phone button is another user's or another app's, invalid, or used before."""

TOKEN_STALE: Final = frozenset({40001, 40014, 42001})
"""The access token is not the latest, invalid, or expired: a new one mends it."""

VERIFICATION_FOREIGN: Final = frozenset({84017, 84018, 84020, 84022})
"""The verification is another user's, another person's or another flow's, or its hour is over (attack B2)."""

_MINUTE_QUOTA: Final = 45011


def unavailable(http: VendorHttp, operation: str, errcode: int) -> NoReturn:
    """Alarm the operator and raise ``VendorUnavailable``: none of the lists has ``errcode``."""
    http.alarm(operation, str(errcode))
    # The quota is counted by the minute; before the next one every attempt only prolongs it.
    raise VendorUnavailable(60 if errcode == _MINUTE_QUOTA else 10)
