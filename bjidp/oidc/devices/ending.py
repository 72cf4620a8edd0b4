"""The end of what a device was given, for the phone that confirmed it (attack P7).

Called when somebody says 不是我.
"""

from __future__ import annotations

from collections.abc import Sequence

from bjidp.clock import Clock
from bjidp.oidc.grants.code import of_ticket
from bjidp.oidc.ports import GrantStore


class EndDevices:
    """:class:`bjidp.qrlogin.undoing.EndDevices` by grants."""

    def __init__(self, grants: GrantStore, clock: Clock) -> None:
        """End those of ``grants``."""
        self._grants = grants
        self._clock = clock

    async def __call__(self, account: str, tickets: Sequence[bytes]) -> int:
        """See :class:`bjidp.qrlogin.undoing.EndDevices`; raises ``StoreUnavailable``."""
        sessions = tuple(map(of_ticket, tickets))
        return await self._grants.end_of_ticket(account, sessions, self._clock.now())
