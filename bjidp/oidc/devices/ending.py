"""The end of what a device was given, when somebody says 不是我 (attack P7), on the phone that confirmed or a page."""

from __future__ import annotations

from collections.abc import Sequence

from bjidp.clock import Clock
from bjidp.oidc.devices.logins import DeviceLogins
from bjidp.oidc.grants.code import of_ticket
from bjidp.oidc.grants.grant import GrantEnd
from bjidp.oidc.ports import GrantStore


class EndDevices:
    """:class:`bjidp.qrlogin.undoing.EndDevices` by grants."""

    def __init__(self, grants: GrantStore, clock: Clock) -> None:
        """End those of ``grants``."""
        self._grants = grants
        self._clock = clock
        self._logins = DeviceLogins(grants, clock)

    async def __call__(self, account: str, tickets: Sequence[bytes]) -> int:
        """See :class:`bjidp.qrlogin.undoing.EndDevices`; raises ``StoreUnavailable``."""
        sessions = tuple(map(of_ticket, tickets))
        return await self._grants.end_of_ticket(account, sessions, GrantEnd.UNDONE, self._clock.now())

    async def end(self, account: str, session: str) -> str | None:
        """See :meth:`bjidp.accounts.activity.DeviceLogins.end`: what came of sessions in browsers is not ended here."""
        pages = {login.id: login.confirmed_in for login in await self._logins.of_account(account)}
        if not await self._logins.end_one(account, session, GrantEnd.UNDONE):
            return None
        return pages.get(session)
