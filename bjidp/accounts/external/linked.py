"""What an account is logged in to by elsewhere, as its owner sees it and ends it.

Owns which providers there are to bind and to unbind, that one of them is chosen before 验证身份, and what ends with a
user that is unbound. Called by the pages of 个人中心.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from bjidp.accounts.member_ports import ExternalStore
from bjidp.accounts.settings.changes import Changes, NotDue
from bjidp.accounts.settings.flow import Change, Step
from bjidp.accounts.telling import Teller, Told
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import Clock, Instant
from bjidp.platforms import Provider
from bjidp.sessions.ports import SessionEnd, Way
from bjidp.sessions.service import Sessions
from bjidp.verification.number import MobileNumber
from bjidp.verification.proofs import Operation

_PROVIDERS: Final = {provider.value: provider for provider in Provider}


class ProviderLine(Struct, frozen=True):
    """A provider, and since when its user logs in; None where none does."""

    provider: Provider
    linked_at: Instant | None


class LinkedProviders:
    """Shows, chooses and unbinds. Raises ``StoreUnavailable`` when a store does not answer."""

    def __init__(
        self,
        *,
        externals: ExternalStore,
        sessions: Sessions,
        changes: Changes,
        verifying: Verifying,
        teller: Teller,
        providers: Sequence[Provider],
        clock: Clock,
    ) -> None:
        """Take every dependency; ``providers`` are those there are here."""
        self._externals = externals
        self._sessions = sessions
        self._changes = changes
        self._verifying = verifying
        self._teller = teller
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

    async def choose(self, visit: Visit, operation: Operation, provider: Provider) -> str | None:
        """Begin to bind or to unbind a user of ``provider``; return the change's id, None where there is nothing to."""
        if not await self._is_due(visit, operation, provider):
            return None
        return await self._changes.agree(visit, operation, provider.value)

    async def chosen(self, visit: Visit, change: Change | None) -> Provider | None:
        """Return whose user a change is to bind or to unbind, None where there is nothing to by now."""
        if change is None:
            return None
        provider = provider_of(change)
        return provider if await self._is_due(visit, change.operation, provider) else None

    async def unlink(self, visit: Visit, flow: str | None) -> str:
        """Let the chosen provider's user log in no more, and end what they have logged in; return the change's id.

        The session that asks goes on: its owner has proved who they are. Raises
        :class:`bjidp.accounts.settings.changes.NotDue` and ``AccountRefused``.
        """
        draft = await self._changes.due(visit, Operation.UNLINK, flow)
        provider = provider_of(draft.facts)

        async def write() -> None:
            phone, keep = (await self._verifying.member(visit)).phone, visit.session.id
            # Before it is written, so that it can be done again where this fails; and whoever came in meanwhile.
            await end_logins(self._sessions, visit.account, provider, keep=keep)
            if await self._externals.unlink(visit.account, provider, self._clock.now()):
                tell(self._teller, phone, Told.EXTERNAL_UNLINKED)
            await end_logins(self._sessions, visit.account, provider, keep=keep)

        await self._changes.save(visit, draft, write)
        return draft.id

    async def _is_due(self, visit: Visit, operation: Operation, provider: Provider) -> bool:
        linked = {one.provider for one in await self._externals.linked(visit.account)}
        if operation is Operation.UNLINK:
            return provider in linked
        return provider in self._providers and provider not in linked


def provider_of(change: Change) -> Provider:
    """Return whose user a change is to bind or to unbind.

    Raises :class:`bjidp.accounts.settings.changes.NotDue` for one that nothing was chosen for.
    """
    provider = _PROVIDERS.get(change.about)
    if provider is None:
        raise NotDue(None, Step.VERIFY)
    return provider


def tell(teller: Teller, phone: str | None, what: Told) -> None:
    """Tell the account's number, if it has one, what has become of its logins by a provider."""
    if phone is not None:
        teller.tell(MobileNumber(phone), what)


async def end_logins(sessions: Sessions, account: str, provider: Provider, keep: str | None = None) -> None:
    """End what a provider's user has logged in to an account who does so no more, but for the session ``keep``."""
    for session in await sessions.of_account(account):
        login = session.login
        if login.way is Way.EXTERNAL and login.platform == provider and session.id != keep:
            await sessions.end_one(account, session.id, SessionEnd.UNLINKED)
