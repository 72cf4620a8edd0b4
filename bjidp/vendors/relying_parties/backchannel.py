"""Bringing logout tokens to relying parties (OpenID Connect Back-Channel Logout 1.0, section 2.5).

Owns where one may be brought. The addresses are those that relying parties registered; a token goes nowhere else, since
no redirect is followed, and it is read by nobody on the way, since it goes by https. Only a demonstration brings one to
another program of the same machine, and nothing there but it may be asked that way.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from bjidp.errors import VendorUnavailable
from bjidp.vendors.http import HttpLimits, VendorHttp

LIMITS: Final = HttpLimits(total=5.0, connect=2.0, max_bytes=16 * 1024, connections=256)
"""What a relying party may take of our time: whoever is slow is tried again, and the answer says nothing we read. There
are as many connections as notices are brought at a time, so that nobody waits for one that somebody slow has."""

_OPERATION: Final = "logout"


class Backchannel:
    """Implements :class:`bjidp.vendors.ports.relying_parties.LogoutReceivers`."""

    def __init__(self, http: VendorHttp, *, unsafe: bool) -> None:
        """Speak by ``http``, which has no base address; ``unsafe`` allows plain http, in a demonstration."""
        self._http = http
        self._unsafe = unsafe

    async def tell(self, address: str, logout_token: str) -> None:
        if urlsplit(address).scheme != "https" and not self._unsafe:
            self._http.alarm(_OPERATION, "not_https")
            raise VendorUnavailable
        await self._http.octets(_OPERATION, "POST", address, form={"logout_token": logout_token})
