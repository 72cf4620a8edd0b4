"""Somebody is sent to a provider, and comes back with a code.

Owns the order: a way is opened for one browser, the provider is asked about the code that comes back on it, once, and
whoever it tells of is looked for. Called by the pages of :mod:`bjidp.web.login.external`. A way is found by two halves:
its name, which goes through the provider, and a secret, which stays with the browser; whoever has one of them has
nothing (attack T8).

**Two loads at once** ask the provider once: the second waits for what the first is told, and comes to a session that
takes the place of the first one's, whose answer the browser has dropped. **What a crash leaves** while the provider is
asked is a way that is asked on again after some seconds; the provider may know the code no more, and then the person
begins again. Nothing else is written before the session is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog
from msgspec import Struct

from bjidp.accounts.drafts import Draft, Drafts, DraftUnknown
from bjidp.accounts.errors import ExternalLoginOver, ExternalLoginRefused
from bjidp.accounts.external import flow as rules
from bjidp.accounts.external.flow import Attempt, Binding, Step
from bjidp.accounts.identifiers import of_external
from bjidp.accounts.member_ports import Member, MemberStore
from bjidp.clock import MINUTE
from bjidp.errors import AccountRefused, BjidpError, VendorUnavailable
from bjidp.platforms import ExternalIdentity, Provider
from bjidp.records import StaleRecord
from bjidp.sessions.service import Sessions
from bjidp.throttle.ports import Throttle, Window
from bjidp.throttle.source import Source
from bjidp.vendors.ports.platforms import LoginCodeInvalid
from bjidp.vendors.ports.providers import WebSignIn

LOOKS: Final = 75
PAUSE: Final = 0.2
"""Seconds between looks at what another load of the same address is told: as long in all as that may take."""

log = structlog.get_logger(__name__)


class ExternalWindows(Struct, frozen=True, kw_only=True):
    """How often providers are asked, from one network address."""

    opened: Window = Window(1200, 15 * MINUTE)
    """Ways that are begun; each is kept for as long as somebody may take at the provider."""
    source: Window = Window(300, 15 * MINUTE)
    """Codes."""


class Opened(Struct, frozen=True):
    """A way to a provider: where the browser is sent."""

    page: str


class Coming(Struct, frozen=True):
    """Somebody who comes back from a provider."""

    provider: Provider
    code: str
    source: Source
    binding: Binding | None
    """What for, None for a login."""

    def __repr__(self) -> str:
        """Show whom from alone: the code is a secret."""
        return f"Coming({self.provider}, ***)"


class Known(Struct, frozen=True):
    """Whoever it was has an account."""

    way: Draft[Attempt]
    member: Member

    @property
    def next(self) -> str:
        """Where the login leads."""
        return self.way.facts.next


class Unknown(Struct, frozen=True):
    """Whoever it was has none."""

    attempt: Attempt


class Arriving:
    """Opens ways and takes codes. Raises ``StoreUnavailable`` when a store does not answer."""

    def __init__(
        self,
        *,
        logins: Mapping[Provider, WebSignIn],
        callback: Callable[[Provider], str],
        members: MemberStore,
        sessions: Sessions,
        ways: Drafts[Attempt],
        throttle: Throttle,
        windows: ExternalWindows,
    ) -> None:
        """Take every dependency; ``callback`` tells where each provider sends people back."""
        self._logins = logins
        self._callback = callback
        self._members = members
        self._sessions = sessions
        self._ways = ways
        self._throttle = throttle
        self._windows = windows

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Those there are here, in the order of pages."""
        return tuple(self._logins)

    def code_parameter(self, provider: Provider) -> str:
        """Return what a code of ``provider`` is called in the address that it comes back in."""
        return self._logins[provider].code_parameter

    async def open(self, secret: str, attempt: Attempt, source: Source) -> Opened:
        """Open a way for the browser that has ``secret``; raise ``RateLimited``."""
        await source.hit(self._throttle, "login.external.opened", self._windows.opened)
        state = rules.state_of(await self._ways.open(secret, attempt))
        login = self._logins[attempt.provider]
        return Opened(login.page(self._callback(attempt.provider), state, inside=attempt.inside))

    async def come(
        self, secret: str | None, provider: Provider, state: str, code: str, source: Source
    ) -> Known | Unknown:
        """Return who has come back with ``code`` from ``provider``.

        Raises :class:`ExternalLoginOver` for a way that is over, was taken with another code, is another browser's or
        another provider's, and for a code that the provider refuses; :class:`ExternalLoginRefused` where there is no
        code; ``AccountRefused``, ``RateLimited`` and ``VendorUnavailable``; after the last two the code may come again.
        """
        way = await self._told(secret, provider, state, code, source)
        member = await self._find(way.facts.names)
        if member is None:
            return Unknown(way.facts)
        if member.standing.refusal is not None:
            raise AccountRefused(member.standing.refusal)
        session = way.facts.session
        if session is not None and not (rules.is_open(way.facts, way.now) and await self._lives(member, session)):
            # Logged out since, or long ago: a page in the history of a browser logs nobody in.
            raise ExternalLoginOver
        return Known(way, member)

    async def binding(self, secret: str | None, state: str) -> Binding | None:
        """Return what a way is for that whoever is logged in has begun; None for a login, and for one that is over."""
        try:
            return (await self._read(secret, state)).facts.binding
        except ExternalLoginOver:
            return None

    async def told(
        self, secret: str | None, binding: Binding, provider: Provider, state: str, code: str, source: Source
    ) -> tuple[ExternalIdentity, ...]:
        """Return every name of whoever has come back with ``code`` on the way for ``binding``.

        Raises what :meth:`come` raises, but for ``AccountRefused``.
        """
        return (await self._told(secret, provider, state, code, source, binding)).facts.names

    async def led(self, secret: str | None, state: str, code: str, session: str) -> str | None:
        """Return where the way leads that has come to ``session``, the browser's own; None if none has."""
        try:
            facts = (await self._read(secret, state)).facts
        except ExternalLoginOver:
            return None
        return facts.next if facts.session == session and facts.code == rules.digest_of(code) else None

    async def require_unchanged(self, known: Known) -> None:
        """Raise :class:`ExternalLoginOver` if the provider's user does not log in to this account any more.

        Asked after the session was opened, which is then to be ended.
        """
        now = await self._find(known.way.facts.names)
        if now is None or now.standing.account != known.member.standing.account:
            raise ExternalLoginOver

    async def entered(self, secret: str, known: Known, session: str) -> str | None:
        """Note that the way came to ``session``; return the one that another load of it came to before."""
        before: str | None = None

        def swapped(attempt: Attempt) -> Attempt:
            nonlocal before
            before = attempt.session
            return rules.entered(attempt, session, known.way.now)

        try:
            await self._ways.change(secret, known.way, swapped)
        except BjidpError as trouble:
            log.warning("login_not_noted", reason=trouble.code)
        return before

    async def _told(
        self,
        secret: str | None,
        provider: Provider,
        state: str,
        code: str,
        source: Source,
        binding: Binding | None = None,
    ) -> Draft[Attempt]:
        way = await self._read(secret, state)
        if not code:
            raise ExternalLoginRefused
        return await self._known(secret or "", way, Coming(provider, code, source, binding))

    async def _read(self, secret: str | None, state: str) -> Draft[Attempt]:
        try:
            return await self._ways.read(secret or "", rules.draft_of(state))
        except DraftUnknown:
            raise ExternalLoginOver from None

    async def _known(self, secret: str, way: Draft[Attempt], coming: Coming) -> Draft[Attempt]:
        digest = rules.digest_of(coming.code)
        for _ in range(LOOKS):
            match rules.next_step(way.facts, coming.provider, digest, way.now, binding=coming.binding):
                case Step.OVER:
                    raise ExternalLoginOver
                case Step.KNOWN:
                    return way
                case Step.WAIT:
                    await asyncio.sleep(PAUSE)
                case Step.ASK:
                    try:
                        taken = await self._ways.write(secret, way, rules.asking(way.facts, digest, way.now))
                    except StaleRecord:
                        pass
                    else:
                        return await self._asked(secret, taken, coming)
            way = await self._read(secret, rules.state_of(way.id))
        raise VendorUnavailable

    async def _asked(self, secret: str, way: Draft[Attempt], coming: Coming) -> Draft[Attempt]:
        provider, inside = way.facts.provider, way.facts.inside
        try:
            await coming.source.hit(self._throttle, "login.external.source", self._windows.source)
            login = await self._logins[provider].exchange(coming.code, self._callback(provider), inside=inside)
        except LoginCodeInvalid:
            await self._ways.change(secret, way, rules.refused)
            raise ExternalLoginOver from None
        except BjidpError:
            await self._ways.change(secret, way, rules.unanswered)
            raise
        return await self._ways.change(secret, way, lambda attempt: rules.known(attempt, login.names))

    async def _find(self, names: Sequence[ExternalIdentity]) -> Member | None:
        return await self._members.find([of_external(name) for name in names])

    async def _lives(self, member: Member, session: str) -> bool:
        return any(live.id == session for live in await self._sessions.of_account(member.standing.account))
