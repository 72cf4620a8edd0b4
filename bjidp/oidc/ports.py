"""What the provider needs of its stores: relying parties, consents and grants.

Owns the contracts; ``storage.sql`` implements them and the suites in ``tests/contracts`` hold it to them on every
database. Each method is one transaction, and raises ``StoreUnavailable`` when the database does not answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from bjidp.accounts.member_ports import Member
from bjidp.clock import Instant
from bjidp.oidc.client import Client
from bjidp.oidc.devices.login import DeviceLogin, Origin
from bjidp.oidc.grants.grant import Grant, GrantEnd
from bjidp.oidc.grants.refreshing import Family
from bjidp.oidc.logouts.notice import LogoutNotice
from bjidp.oidc.scopes import Scope
from bjidp.secret import Secret
from bjidp.standing import Standing


class RegisteredClient(Struct, frozen=True):
    """A relying party as it is kept; ``secret`` is the SHA-256 of one of 256 random bits, which needs no slow hash."""

    client: Client
    secret: bytes | None
    shared: Secret | None = None
    """What the city's own interface computes with, on both sides (RP-5); kept under field encryption."""


class Entry(Struct, frozen=True):
    """A relying party as it was registered: the ``metadata`` as JSON, of which the program may know less by now."""

    id: str
    metadata: str
    created_at: Instant


class DuplicateClient(Exception):
    """A client with this id is registered already; nothing was changed."""


class StaleGrant(Exception):
    """The grant has ended, or another refresh was faster; nothing was written: read again and decide again."""


class ClientStore(Protocol):
    """The relying parties."""

    async def find(self, client_id: str) -> RegisteredClient | None:
        """Return the client, or None when there is none that this release can read."""
        ...

    async def add(self, registered: RegisteredClient, metadata: str, now: Instant) -> None:
        """Keep a client by the ``metadata`` it was read from (JSON), and audit it; raise :class:`DuplicateClient`."""
        ...

    async def entry(self, client_id: str) -> Entry | None:
        """Return a client as it was registered, or None when there is none."""
        ...

    async def entries(self) -> Sequence[Entry]:
        """Return all of them, the oldest first."""
        ...

    async def remove(self, client_id: str, now: Instant) -> int | None:
        """Forget a client with what people have agreed to for it, end its grants, and audit it.

        Return how many grants those were; None where there is no such client.
        """
        ...


class Agreement(Struct, frozen=True, kw_only=True):
    """What somebody lets one relying party read, and what has come of it."""

    client: Client
    scopes: tuple[Scope, ...]
    agreed_at: Instant
    sessions: frozenset[str]
    """Those they were logged in there from, whether or not they have ended since."""
    away: bool
    """Whether it may read while they are away."""


class ConsentStore(Protocol):
    """What people have agreed that relying parties may read."""

    async def agreed(self, account: str, client: str) -> frozenset[Scope]:
        """Return what ``account`` has agreed to for ``client``."""
        ...

    async def agree(self, account: str, client: str, scopes: frozenset[Scope], now: Instant) -> None:
        """Add ``scopes`` to what was agreed to before; an account that is gone has agreed to nothing."""
        ...

    async def of_account(self, account: str, now: Instant) -> list[Agreement]:
        """Return what ``account`` has agreed to, the newest first; what a device was given is among it.

        A relying party that :meth:`ClientStore.find` does not find is not.
        """
        ...

    async def withdraw(self, account: str, client: str, now: Instant) -> int:
        """Forget what was agreed to, end the grants that came of it and have the relying party told.

        Returns how many grants those were.
        """
        ...


class LiveSessions(Protocol):
    """The sessions in browsers that grants came of (:class:`bjidp.sessions.ports.SessionStore`)."""

    async def lives(self, account: str, session: str, now: Instant, *, settled: bool = False) -> bool:
        """Tell whether a session of an account is there; with ``settled`` an end that is being written counts."""
        ...


class Subjects(Protocol):
    """What relying parties know people as."""

    async def subject(self, account: str, sector: str) -> str | None:
        """Return what ``sector`` knows an account as; None where it has never had a grant of it."""
        ...


class GrantStore(Subjects, Protocol):
    """The live grants."""

    async def begin(self, grant: Grant, sector: str, now: Instant, origin: Origin | None = None) -> Grant:
        """Keep a grant and audit it; return it with the subject that the account has in ``sector``.

        ``origin`` is that of a device's.

        Subjects are kept and not computed: a key that is rotated must make nobody a stranger to the sites they use.
        The last look at the account is in the same transaction: raises ``AccountRefused`` when it may not be logged in
        at this moment, and when its sessions were ended since the person agreed, the one they agreed in among them
        (attacks T3, Q21). Nothing is left of the grant then.
        """
        ...

    async def find(self, grant: str, now: Instant) -> tuple[Grant, Standing] | None:
        """Return a live grant and how its account stands; None when it is unknown, over, ended, or refused by now."""
        ...

    async def owned(self, grant: str, now: Instant) -> tuple[Grant, Member] | None:
        """Return what :meth:`find` does, with all there is to tell of its owner: both as of one moment.

        A document that the grant's scopes do not stand for is left out.
        """
        ...

    async def devices(self, account: str, now: Instant) -> list[DeviceLogin]:
        """Return the devices an account is logged in on, the newest first.

        Those of a relying party that :meth:`ClientStore.find` does not find are not among them.
        """
        ...

    async def refresh(self, grant: Grant, family: Family, now: Instant) -> None:
        """Set the ``family`` of a live grant that still has the family it was read with; raise :class:`StaleGrant`.

        That of a device notes that it was used.
        """
        ...

    async def end(self, grant: str, reason: GrantEnd, now: Instant) -> bool:
        """End a grant and audit why; return whether there was one that had not ended.

        Its relying party is told when the session is over that it came of, as long as it was given.
        """
        ...

    async def end_of_session(self, session: str, now: Instant, *, away: bool = False) -> int:
        """End the grants that came of a session and go with it, and have relying parties told; return how many ended.

        With ``away`` also those that were agreed to for when the person is away, and those of devices that were
        confirmed in it. Every relying party that was logged in to from the session is told that it is over, once,
        whichever of its grants stay.
        """
        ...

    async def end_of_account(self, account: str, keep: str | None, now: Instant) -> int:
        """End every grant of an account but those that came of the session ``keep``; return how many those were."""
        ...

    async def end_fenced(self, now: Instant, limit: int) -> int:
        """End at most ``limit`` grants that a fence of their account is past; return how many those were.

        A device's are past once their account is in another epoch. They count for nothing already (:meth:`find`).
        """
        ...

    async def end_of_ticket(self, account: str, sessions: Sequence[str], reason: GrantEnd, now: Instant) -> int:
        """End the grants of an account that came of a device ticket, by the names its session may have.

        Those with refresh tokens too: whoever confirmed takes it back. Returns how many those were.
        """
        ...

    async def purge(self, now: Instant, limit: int) -> int:
        """Delete at most ``limit`` grants whose time is over; return how many: as many as ``limit``, ask again."""
        ...


class LogoutCounts(Struct, frozen=True):
    """How the notices to one relying party stand: how many were ``told`` and ``given_up`` of those that are kept."""

    client: str
    waiting: int
    waiting_since: Instant | None
    told: int
    given_up: int


class LogoutOutbox(Protocol):
    """What relying parties are to be told. Whoever ends a session or an account writes it with that."""

    async def due(self, now: Instant, limit: int) -> list[str]:
        """Return at most ``limit`` relying parties that something is due for."""
        ...

    async def take(self, client: str, now: Instant, until: Instant, limit: int) -> list[LogoutNotice]:
        """Return at most ``limit`` notices that are due for ``client``; nobody else is given them before ``until``."""
        ...

    async def told(self, notice: LogoutNotice, now: Instant) -> None:
        """Note that a relying party has taken a notice, and audit it; once."""
        ...

    async def put_off(self, notice: LogoutNotice, until: Instant) -> None:
        """Let a notice be taken again from ``until`` on, unless somebody else has it by now."""
        ...

    async def give_up(self, notice: LogoutNotice, now: Instant) -> None:
        """Note that nobody tries any more, and audit it, unless somebody else has the notice by now."""
        ...

    async def counts(self) -> list[LogoutCounts]:
        """Return how the notices stand, for each relying party that has some."""
        ...

    async def forget(self, before: Instant, limit: int) -> int:
        """Delete at most ``limit`` notices that were over before ``before``; return how many."""
        ...
