"""Whoever came from a provider and has no account: bound to one by a code to its phone, or to a new one.

Owns what is kept of them meanwhile. Called by the pages of :mod:`bjidp.web.login.linking`. Nothing that a provider
tells of a phone, a mail address or a document leads to an account: the code proves the number here, and at a number
that may have been handed out again the end of the document proves its owner, as at any login by a code (attack T9).
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts.drafts import Drafts
from bjidp.accounts.errors import ExternalLoginOver
from bjidp.accounts.external.linked import end_logins
from bjidp.accounts.login.flow import Proved
from bjidp.accounts.member_ports import ExternalStore, IdentifierTaken
from bjidp.clock import Clock
from bjidp.platforms import ExternalIdentity, Provider
from bjidp.sessions.service import Sessions


class Newcomer(Struct, frozen=True, kw_only=True):
    """Whoever came, and where the login was to lead."""

    identity: ExternalIdentity
    next: str
    client: str

    @property
    def provider(self) -> Provider:
        """Whom they came from."""
        return self.identity.provider

    def __repr__(self) -> str:
        """Show whom they came from alone."""
        return f"Newcomer({self.provider}, ***)"


class Linking:
    """Keeps newcomers, and links them. Raises ``StoreUnavailable`` when a store does not answer."""

    def __init__(
        self, *, externals: ExternalStore, sessions: Sessions, newcomers: Drafts[Newcomer], clock: Clock
    ) -> None:
        """Take every dependency."""
        self._externals = externals
        self._sessions = sessions
        self._newcomers = newcomers
        self._clock = clock

    async def receive(self, holder: str, newcomer: Newcomer) -> str:
        """Keep who came in the browser ``holder``; return the name that its pages carry."""
        return await self._newcomers.open(holder, newcomer)

    async def find(self, holder: str, name: str) -> Newcomer:
        """Return who came in this browser; raise :class:`ExternalLoginOver` when nobody did, or it is over."""
        found = await self._newcomers.find(holder, name)
        if found is None:
            raise ExternalLoginOver
        return found.facts

    async def link(self, newcomer: Newcomer, proved: Proved) -> None:
        """Let whoever came log in to the account whose number they have proved.

        What another user of the provider had logged in there, in whose place they are, is over (attack T3).
        Raises ``AccountRefused``, and :class:`ExternalLoginOver` when that is not its number any more, or when they
        log in to another account by now.
        """
        account, phone = proved.member.standing.account, proved.member.phone or ""
        try:
            replaced = await self._externals.link(account, newcomer.identity, phone, self._clock.now())
        except IdentifierTaken:
            raise ExternalLoginOver from None
        if replaced:
            await end_logins(self._sessions, account, newcomer.provider)
