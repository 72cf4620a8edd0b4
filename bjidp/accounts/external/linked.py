"""What an account is logged in to by elsewhere, as its owner sees and ends it.

Called by the page of 个人中心. Ending asks for no 验证身份, as ending a session does not: it takes a way in away.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from bjidp.accounts.member_ports import ExternalStore
from bjidp.accounts.verifying import Visit
from bjidp.clock import Clock, Instant
from bjidp.platforms import Provider
from bjidp.sessions.ports import SessionEnd, Way
from bjidp.sessions.service import Sessions


class ProviderLine(Struct, frozen=True):
    """A provider, and since when its user logs in; None where none does."""

    provider: Provider
    linked_at: Instant | None


class LinkedProviders:
    """Shows and unlinks. Raises ``StoreUnavailable`` when a store does not answer."""

    def __init__(
        self, *, externals: ExternalStore, sessions: Sessions, providers: Sequence[Provider], clock: Clock
    ) -> None:
        """Take every dependency; ``providers`` are those there are here."""
        self._externals = externals
        self._sessions = sessions
        self._providers = providers
        self._clock = clock

    @property
    def offered(self) -> bool:
        """Whether there is any provider here."""
        return bool(self._providers)

    async def lines(self, visit: Visit) -> list[ProviderLine]:
        """Return those there are here, and those that the account has from a time when there were others."""
        linked = {one.provider: one.linked_at for one in await self._externals.linked(visit.account)}
        shown = [provider for provider in Provider if provider in linked or provider in self._providers]
        return [ProviderLine(provider, linked.get(provider)) for provider in shown]

    async def unlink(self, visit: Visit, provider: Provider) -> bool:
        """Let that provider's user log in no more, and end what they have logged in; return whether there was one.

        The session that asks goes on. Raises ``AccountRefused``.
        """
        unlinked = await self._externals.unlink(visit.account, provider, self._clock.now())
        await end_logins(self._sessions, visit.account, provider, keep=visit.session.id)
        return unlinked


async def end_logins(sessions: Sessions, account: str, provider: Provider, keep: str | None = None) -> None:
    """End what a provider's user has logged in to an account who does so no more, but for the session ``keep``."""
    for session in await sessions.of_account(account):
        login = session.login
        if login.way is Way.EXTERNAL and login.platform == provider and session.id != keep:
            await sessions.end_one(account, session.id, SessionEnd.UNLINKED)
