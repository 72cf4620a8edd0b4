"""Browser sessions: the noun and the store behind it.

Owns the rules of ``docs/architecture.md`` on sessions: a row is created only by a login; saving updates a live row
by id and version and never creates one (a slow request would otherwise bring a revoked session back); ending
deletes; the key a row is found by is a hash of the cookie. ``storage.sql`` and ``storage.redis`` implement it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from bjidp.clock import Instant
from bjidp.entropy import base64url
from bjidp.standing import Standing

VERIFIED_KEPT: Final = 64
"""Tickets that a session remembers: more than anybody is verified by in twelve hours."""

_VERIFIED: Final = "verified_by"


class Way(StrEnum):
    """What somebody logged in by."""

    QR = "qr"
    PASSWORD = "password"
    SMS = "sms"
    EXTERNAL = "external"
    """What somebody has elsewhere; ``Login.platform`` says where."""
    REGISTRATION = "registration"
    """The account was registered in this browser a moment ago."""


class SessionEnd(StrEnum):
    """Why a session ended before its time, as the audit log has it."""

    LOGOUT = "logout"
    NOT_ME = "not_me"
    """Its owner said in this browser that somebody else had logged in."""
    REPLACED = "replaced"
    """The same browser logged in anew."""
    INVALIDATED = "invalidated"
    """The login that made it could not be finished."""
    UNDO = "undo"
    """The phone that confirmed the login took it back."""
    CHOSEN = "chosen"
    """Its owner ended it from another device (SES-1), where they are told to do so to one that they do not know."""
    UNLINKED = "unlinked"
    """The provider's user that had opened it logs in to the account no more (LOG-4)."""
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

    @property
    def is_departure(self) -> bool:
        """Whether its owner, or the next login, only leaves the browser; any other end is one of trust.

        What a site may go on doing while its owner is away outlasts a departure, and nothing else.
        """
        return self in {SessionEnd.LOGOUT, SessionEnd.REPLACED}


class Login(Struct, frozen=True):
    """How somebody came in, from facts the server saw itself; kept with the session and in the audit log.

    ``network`` is a keyed digest of the computer's network, never an address. ``ticket`` is a digest of the QR
    ticket, by which the phone that confirmed may end what came of it.
    """

    way: Way
    platform: str | None
    link: str | None
    browser: str
    os: str
    area: str | None
    network: bytes
    ticket: bytes | None


class Session(Struct, frozen=True):
    """A logged-in browser. ``id`` is public (lists, logs); ``version`` rises with every save."""

    id: str
    account: str
    login: Login
    created_at: Instant
    last_used_at: Instant
    expires_at: Instant
    csrf: str
    data: dict[str, str]
    version: int

    def verified_by(self, ticket: bytes) -> Session:
        """Return the session that remembers, besides the newest others, a QR ticket its owner was verified by."""
        kept = [*self._verified(), _reference(ticket)][-VERIFIED_KEPT:]
        return replace(self, data=self.data | {_VERIFIED: " ".join(kept)})

    def was_verified_by(self, tickets: Sequence[bytes]) -> bool:
        """Tell whether it remembers one of these tickets."""
        return not {_reference(ticket) for ticket in tickets}.isdisjoint(self._verified())

    def _verified(self) -> list[str]:
        return self.data.get(_VERIFIED, "").split()


def _reference(ticket: bytes) -> str:
    """Return what a session's data call a ticket: half of its digest tells those of one session apart."""
    return base64url(ticket[:16])


class StaleSession(Exception):
    """The session was changed or ended meanwhile; nothing was written."""


class ConfirmationOver(Exception):
    """Sessions of the account were ended since a phone confirmed this login; nothing was written."""


class Attached(Protocol):
    """What others hold open for a session."""

    async def session_ended(self, session: str) -> None:
        """Close it: the session with this id is over. Nothing takes that back, so this raises nothing."""
        ...


class SessionStore(Protocol):
    """Live browser sessions. Raises ``StoreUnavailable`` when it does not answer."""

    async def open(self, session: Session, key: bytes, replaces: bytes | None, epoch: int | None = None) -> None:
        """Create the row under ``key``, delete the one under ``replaces``, audit the login, remember the network.

        The last look at the account comes after everything that a lock of it could miss: raises ``AccountRefused``
        when it may not log in at this moment (attack Q21), and :class:`ConfirmationOver` when ``epoch``, the account's
        at the moment that a phone confirmed, is over (attack P7). Then nothing is left of the row and everything else
        is as it was.

        ``StoreUnavailable`` says less, since sessions and accounts may lie in two places: the login may be in the
        audit log, and the session under ``replaces`` may be over. The row is taken back; where that fails too it is
        listed and can be ended like any other, and dies at its deadline. Nobody was given the cookie to it.
        """
        ...

    async def find(self, key: bytes, now: Instant) -> tuple[Session, Standing] | None:
        """Return the live session under ``key`` with its account's standing; None if unknown, over or refused.

        One that a change of the account has ended is over, whether or not anything is left of it
        (:meth:`bjidp.accounts.member_ports.MemberStore.set_phone`).
        """
        ...

    async def lives(self, account: str, session: str, now: Instant, *, settled: bool = False) -> bool:
        """Tell whether a session of an account is there, by its id; whether its account is refused, it does not look.

        With ``settled`` an end that is being written at this moment counts: whoever writes something that goes with
        the session first and asks then is either found by that end, or told here.
        """
        ...

    async def save(self, session: Session) -> Session:
        """Write ``data`` and ``last_used_at`` if the row still has this version; raise :class:`StaleSession`."""
        ...

    async def rekey(self, session: Session, key: bytes, fresh: bytes, now: Instant) -> bool:
        """Let the live session be found under ``fresh`` and no more under ``key``; nothing else of it changes.

        Returns whether it was found under ``key``: of many racing callers one is told so. After ``StoreUnavailable``
        either may be the one that counts.
        """
        ...

    async def end(self, session: str, reason: SessionEnd, now: Instant) -> bool:
        """Delete the row and the grants that go with it, audit why; return whether it was live.

        Ending comes first where the audit log lies elsewhere, and an event that cannot be written takes nothing
        back: it is logged as ``audit_event_not_stored`` with its references. Grants that could not be ended are by
        :meth:`settle`. So it is for every end below.
        """
        ...

    async def end_by_ticket(self, account: str, ticket: Sequence[bytes], reason: SessionEnd, now: Instant) -> list[str]:
        """End what came of one QR ticket of this account; return the ids of the sessions ended.

        A ticket is given by its digests, one for each active key version.
        """
        ...

    async def end_others(self, account: str, keep: str | None, reason: SessionEnd, now: Instant) -> list[str]:
        """End the account's live sessions but ``keep``; return the ids of the sessions ended.

        Its epoch is over first: a login that was confirmed before either has its session here by now, or gets none.
        Unless ``reason`` is a departure, every grant of the account ends but those of ``keep``.
        """
        ...

    async def of_account(self, account: str, now: Instant) -> list[Session]:
        """Return the account's live sessions, newest first."""
        ...

    async def settle(self, now: Instant, limit: int) -> int:
        """End what should have gone with at most ``limit`` sessions that were ended lately, and did not.

        Returns how many those were: as many as ``limit``, ask again.
        """
        ...

    async def purge(self, now: Instant, limit: int) -> int:
        """Delete at most ``limit`` rows whose time is over, return how many; as many as ``limit``: ask again."""
        ...
