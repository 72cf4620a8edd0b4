"""What the mini-program's server side needs from stores.

Owns the mini-program session noun, its store port (``storage.sql``, ``storage.redis``), and what is asked of
``privacy`` for records that wait. Registrations and used login codes are :class:`bjidp.records.Records`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from bjidp.clock import Instant
from bjidp.standing import Standing


class MiniSession(Struct, frozen=True):
    """A phone that is logged in to 京通.

    Tokens are derived from the id and ``generation``, never stored. ``rotated_at`` is when this generation was
    made; ``used`` tells whether any token of it was presented, after which its predecessor is never answered again.
    """

    id: str
    account: str
    link: str
    platform: str
    generation: int
    rotated_at: Instant
    used: bool
    created_at: Instant
    expires_at: Instant
    version: int


class MiniSessionEnd(StrEnum):
    """Why a session ended before its time, as the audit log has it."""

    LOGOUT = "logout"
    REFRESH_REPLAYED = "refresh_replayed"
    """A refresh token was used a second time: two hold it."""
    SUPERSEDED = "superseded"
    """The same registration was completed twice at once, and the other session is the one."""
    LINK_REPLACED = "link_replaced"
    """Its platform link stands for another account now, or another one took its place."""
    CROWDED_OUT = "crowded_out"
    """It was the oldest of its platform link when there came one too many."""
    CHOSEN = "chosen"
    """Its owner ended it from another device (SES-1)."""
    NOT_ME = "not_me"
    """Its owner said in a browser that somebody else had changed the account."""
    PASSWORD_CHANGED = "password_changed"
    PHONE_CHANGED = "phone_changed"
    IDENTITY_LOST = "identity_lost"
    """Another account has proved the identity better (RNV-7)."""
    IDENTITY_EXCHANGED = "identity_exchanged"
    """The account is another person's identity by now (RNV-5)."""
    IDENTITY_UNBOUND = "identity_unbound"
    """Its owner has taken the identity off the account (RNV-6)."""
    LOCKED = "locked"
    """Staff have locked the account (OPS-7)."""
    CANCELLED = "cancelled"
    """The account was cancelled (ACC-7)."""


class StaleMiniSession(Exception):
    """The session was changed or ended meanwhile; nothing was written."""


class MiniSessionStore(Protocol):
    """Live mini-program sessions. Raises ``StoreUnavailable`` when it does not answer."""

    async def open(self, session: MiniSession, newest: int | None = None) -> None:
        """Create the row; audit the login. Raises ``AccountRefused`` when the account may not log in.

        With ``newest`` the link keeps that many live sessions at most, this one and the newest of the others, and the
        rest is ended as crowded out. Where sessions and accounts lie apart, a login is not refused because one of them
        cannot be ended, and logins at one moment may end one too many.

        What is left behind by it, and by ``StoreUnavailable``, is what
        :meth:`bjidp.sessions.ports.SessionStore.open` says.
        """
        ...

    async def find(self, session: str, now: Instant) -> tuple[MiniSession, Standing] | None:
        """Return the live session and its account's standing in one look; None if unknown or over."""
        ...

    async def replace(self, session: MiniSession) -> MiniSession:
        """Write ``generation``, ``rotated_at`` and ``used`` if the row still has this version; return it as it is now.

        Everything else of it is no caller's to change. Raises :class:`StaleMiniSession`.
        """
        ...

    async def end(self, session: str, reason: MiniSessionEnd, now: Instant) -> bool:
        """Delete the row, audit why as :meth:`bjidp.sessions.ports.SessionStore.end` does; tell whether it was live.

        The epoch of its account is over then: what the phone confirmed logs nobody in any more. The standing that
        :meth:`find` gives is of an epoch that the session was alive in.
        """
        ...

    async def end_others(
        self, account: str, keep: str | None, reason: MiniSessionEnd, now: Instant, gone: Sequence[str] = ()
    ) -> list[str]:
        """End the account's live sessions but ``keep``; return the ids of the sessions ended. So does its epoch.

        Those whose platform link is gone are over without it: nobody can find them any more. Links in ``gone`` were
        the account's until a moment ago, and what is left of their sessions is ended and audited too.
        """
        ...

    async def end_of_links(self, links: Sequence[str], reason: MiniSessionEnd, now: Instant) -> list[str]:
        """End and audit what is left of sessions on links that are gone; return which.

        They opened nothing any more, and their account's epoch has ended with the link.
        """
        ...

    async def of_account(self, account: str, now: Instant) -> list[MiniSession]:
        """Return the account's live sessions, newest first."""
        ...

    async def live_of_link(self, link: str, now: Instant) -> bool:
        """Return whether a platform link has a live session: a person who asked to be forgotten at log-out is."""
        ...

    async def purge(self, now: Instant, limit: int) -> int:
        """Delete at most ``limit`` rows whose time is over, return how many; as many as ``limit``: ask again."""
        ...


class Seals(Protocol):
    """Seals personal values that wait in a store: authenticated encryption, bound to the place they lie in."""

    def seal(self, value: bytes, place: str) -> bytes:
        """Encrypt ``value`` for ``place``, the key of its record."""
        ...

    def unseal(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what was sealed for ``place``; raise :class:`ValueError` for anything else."""
        ...
