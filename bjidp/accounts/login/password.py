"""The login by password (LOG-3, LOG-5): who may try how often, and what a try costs.

Owns the order of limits, look-up and hasher, which is the same for a name that nobody has (attack R1). Called by the
handlers of the login pages, which have checked a captcha before. Nothing here makes a session: that a login is over is
said by :meth:`PasswordLogin.require_unchanged`, after the handler has opened one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts.errors import CredentialsWrong, TooManyPasswords
from bjidp.accounts.hashing import PasswordHashes
from bjidp.accounts.member_ports import Member, MemberStore, PasswordStale
from bjidp.accounts.names import DocumentReadings, read_name
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.audit.ports import AuditLog
from bjidp.clock import MINUTE, Clock
from bjidp.errors import AccountRefused, RateLimited, Retryable
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.sessions.ports import Way
from bjidp.standing import Standing
from bjidp.throttle.ports import Throttle, Window
from bjidp.throttle.source import Source

PASSWORD_READ: Final = 128
"""Characters of a password that are hashed; no password of ours is so long, and the hasher's time is everybody's."""

log = structlog.get_logger(__name__)


class PasswordWindows(Struct, frozen=True, kw_only=True):
    """How often a password may be tried."""

    account: Window = Window(10, 15 * MINUTE)
    """At one account, whichever of its names was typed: by each browser that it logged in on before, and by all others
    together."""
    known: Window = Window(30, 15 * MINUTE)
    """By all browsers together that the account logged in on before: somebody may have made many of them."""
    source: Window = Window(300, 15 * MINUTE)
    """From one network address."""


class Trier(Struct, frozen=True, kw_only=True):
    """Who tries a password, from facts that the server saw itself."""

    source: Source
    browser: str
    """A word of a closed list, as is ``os``: the account's owner is shown where a login failed."""
    os: str
    known_as: Callable[[Standing], str | None]
    """Returns the id of the browser if an account has logged in on it before."""


class PasswordLogin:
    """Checks names and passwords."""

    def __init__(
        self,
        *,
        members: MemberStore,
        hashes: PasswordHashes,
        throttle: Throttle,
        audit: AuditLog,
        pseudonyms: Pseudonyms,
        documents: DocumentReadings,
        clock: Clock,
        windows: PasswordWindows,
    ) -> None:
        """Take every dependency; ``documents`` tells of which documents a text may be the number."""
        self._members = members
        self._hashes = hashes
        self._throttle = throttle
        self._audit = audit
        self._pseudonyms = pseudonyms
        self._documents = documents
        self._clock = clock
        self._windows = windows

    def require_room(self) -> None:
        """Raise ``TooBusy`` if a try would be turned away now: asked before a captcha is used up for it."""
        self._hashes.require_room()

    async def check(self, name: str, password: str, trier: Trier) -> Member:
        """Return the account that ``name`` and ``password`` are of.

        Every try is counted before it is checked (attack O4). Raises :class:`CredentialsWrong`, one answer for whatever
        is wrong; :class:`TooManyPasswords`; ``RateLimited`` by address; ``TooBusy`` when the hasher has enough to do;
        and ``AccountRefused``, which is told to nobody who does not know the password.
        """
        await trier.source.hit(self._throttle, "login.password.source", self._windows.source)
        typed = read_name(name, self._documents)
        member = await self._members.find(typed.identifiers)
        whose = ("account", member.standing.account) if member is not None else ("nobody", *typed.parts)
        browser = None if member is None else trier.known_as(member.standing)
        key = self._pseudonyms.key("login.password", *whose, "", browser or "")
        try:
            await self._throttle.hit(key, self._windows.account)
            if browser is not None:
                await self._throttle.hit(self._pseudonyms.key("login.password.known", *whose), self._windows.known)
        except RateLimited as full:
            raise TooManyPasswords(full.retry_after) from None
        kept = None if member is None else member.password
        verdict = await self._hashes.verify(kept, password[:PASSWORD_READ])
        if member is None or kept is None or not verdict.right:
            await self._write_down(member, trier)
            raise CredentialsWrong
        if member.standing.refusal is not None:
            raise AccountRefused(member.standing.refusal)
        return replace(member, password=await self._rehashed(member, kept, password)) if verdict.stale else member

    async def require_unchanged(self, member: Member, password: str) -> None:
        """Raise :class:`CredentialsWrong` if the password was changed since it was checked.

        Asked after the session was opened, which is then to be ended. Whoever changes a password ends the sessions that
        are there after the change: one that is opened later finds the new hash here, and one that was opened earlier is
        among those that end. So no login by the old password outlives it.
        """
        now = await self._members.member(member.standing.account)
        if now is None or now.password is None:
            raise CredentialsWrong
        if now.password != member.password:
            # Changed, or the same password's hash made anew by another login.
            verdict = await self._hashes.verify(now.password, password[:PASSWORD_READ])
            if not verdict.right:
                raise CredentialsWrong

    async def _write_down(self, member: Member | None, trier: Trier) -> None:
        ref = None if member is None else member.standing.ref
        facts = {Fact.WAY: Way.PASSWORD.value, Fact.BROWSER: trier.browser, Fact.OS: trier.os}
        await self._audit.append(AuditEvent(EventKind.LOGIN_FAILED, self._clock.now(), ref, facts=facts))

    async def _rehashed(self, member: Member, was: str, password: str) -> str:
        """Return what is kept of the password from now on, at the cost of today if that can be had."""
        try:
            new = await self._hashes.hash(password)
            await self._members.rehash(member.standing.account, was, new)
        except PasswordStale:
            # Changed, or made anew by another login; which of the two is found out when the session is there.
            return was
        except Retryable as trouble:
            # The login is right all the same; the next one tries again.
            log.warning("password_not_rehashed", reason=trouble.code)
            return was
        return new
