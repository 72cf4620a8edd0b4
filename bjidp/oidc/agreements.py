"""What somebody lets sites read, and that they do so no more (LOG-8).

Owns what its owner sees of it. Withdrawing ends every token of the site and has it told, in one transaction; the next
login there asks anew. Called by the pages of 授权管理.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from bjidp.clock import Clock
from bjidp.oidc.ports import Agreement, ClientStore, ConsentStore
from bjidp.sessions.service import Sessions


class Site(Struct, frozen=True):
    """A site that may read something, and whether its owner is logged in there from a session that lives."""

    agreement: Agreement
    is_in: bool


class Agreements:
    """The agreements of accounts. A store that is down raises ``StoreUnavailable``."""

    def __init__(self, consents: ConsentStore, clients: ClientStore, sessions: Sessions, clock: Clock) -> None:
        """Find them in ``consents``."""
        self._consents = consents
        self._clients = clients
        self._sessions = sessions
        self._clock = clock

    async def count(self, account: str) -> int:
        """Return how many sites may read something."""
        return len(await self._consents.of_account(account, self._clock.now()))

    async def sites(self, account: str) -> list[Site]:
        """Return them, the one agreed to last first."""
        live = {session.id for session in await self._sessions.of_account(account)}
        agreed = await self._consents.of_account(account, self._clock.now())
        return [Site(one, not live.isdisjoint(one.sessions)) for one in agreed]

    async def names(self, clients: Iterable[str]) -> dict[str, str]:
        """Return what people know these relying parties as; one that was removed has no name any more."""
        found = [await self._clients.find(client) for client in dict.fromkeys(clients)]
        return {one.client.id: one.client.name for one in found if one is not None}

    async def withdraw(self, account: str, client: str) -> bool:
        """End what a site has of an account; return whether it had anything."""
        now = self._clock.now()
        had = any(one.client.id == client for one in await self._consents.of_account(account, now))
        await self._consents.withdraw(account, client, now)
        return had
