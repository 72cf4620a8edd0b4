"""The devices that somebody is logged in on, and the end of one of them (SES-1).

Called by the pages of 我的设备, and by the mini-program's.
"""

from __future__ import annotations

from bjidp.clock import Clock
from bjidp.oidc.devices.login import DeviceLogin
from bjidp.oidc.grants.code import is_of_ticket
from bjidp.oidc.grants.grant import GrantEnd
from bjidp.oidc.ports import GrantStore


class DeviceLogins:
    """The devices of accounts. A store that is down raises ``StoreUnavailable``."""

    def __init__(self, grants: GrantStore, clock: Clock) -> None:
        """Find them by ``grants``."""
        self._grants = grants
        self._clock = clock

    async def of_account(self, account: str) -> list[DeviceLogin]:
        """Return the account's, the newest first."""
        return await self._grants.devices(account, self._clock.now())

    async def end_one(self, account: str, login: str, reason: GrantEnd) -> bool:
        """End one, refresh tokens too, and have its site told; return whether the account had one of that name.

        What came of a session in a browser is not ended here, and what is no name ends nothing.
        """
        if not is_of_ticket(login):
            return False
        return bool(await self._grants.end_of_ticket(account, (login,), reason, self._clock.now()))
