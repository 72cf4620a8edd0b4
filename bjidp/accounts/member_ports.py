"""Accounts as their owners keep them: registration, login, recovery and 个人中心, and the stores behind these.

Owns what those flows decide on, and two ports that ``storage.sql`` implements. As in ``ports``, one call is one
transaction. Called by the flows of ``accounts`` and by whoever tells an owner, or a site, of an account.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from bjidp.accounts.identifiers import Identifier, IdentifierKind
from bjidp.accounts.notices import NoticeKind
from bjidp.accounts.ports import Evidence, Gone
from bjidp.audit.event import AuditEvent, EventKind
from bjidp.clock import Instant
from bjidp.person import Person, Sex
from bjidp.platforms import ExternalIdentity, Provider
from bjidp.standing import Standing


class Member(Struct, frozen=True, kw_only=True):
    """An account with what its flows decide on. Values are in clear, and never leave the service that asked."""

    standing: Standing
    username: str
    phone: str | None
    """Eleven digits."""
    phone_used_at: Instant | None
    """When the number was last proved to be its owner's (LOG-6)."""
    password: str | None
    """The hash that is kept; None for an account that never set one."""
    document: Person | None
    """The identity it holds."""
    evidence: Evidence | None
    """How that was proved."""
    sex: Sex | None
    """What its holder stated where the document's number does not tell it."""
    mail: str | None
    ethnicity: str | None
    """A code of :mod:`bjidp.accounts.ethnicity`."""
    created_at: Instant

    def __repr__(self) -> str:
        """Show whose it is by its reference alone."""
        return f"Member({self.standing.ref!r}, ***)"


class NewMember(Struct, frozen=True, kw_only=True):
    """What registration on a page creates in one transaction: the account, its identifiers, an audit event.

    ``username`` None lets the system make one (REG-3); ``password`` is a hash; with ``national`` also the wish to
    become a user of 国家政务服务平台 (REG-1).
    """

    username: str | None
    phone: str
    password: str | None
    national: bool = False
    external: ExternalIdentity | None = None
    """What the account may be logged in to by besides, unless another account is by then."""

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "NewMember(***)"


class IdentifierTaken(Exception):
    """Another account holds this identifier; nothing was changed."""

    def __init__(self, kind: IdentifierKind) -> None:
        """Say which kind it is, never the value."""
        super().__init__(kind.value)
        self.kind = kind


class PasswordStale(Exception):
    """The hash is not the one that was decided on; nothing was changed."""


class Ended(Struct, frozen=True):
    """An account that has ended."""

    account: str
    ref: str
    gone: Gone


class NumberGiven(Struct, frozen=True, kw_only=True):
    """What a number took the place of, as the transaction that gave it to an account has found it."""

    former: str | None = None
    """The number that the account had; None where it had none, or this very one, and then no session has ended."""
    ended: Ended | None = None
    """The account that had this number, and has ended for it."""

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "NumberGiven(***)"


class Notice(Struct, frozen=True):
    """Something the account is told; ``facts`` are code words."""

    id: int
    kind: NoticeKind
    facts: dict[str, str]
    created_at: Instant
    seen_at: Instant | None


class MemberStore(Protocol):
    """Accounts as their owners keep them. Raises ``StoreUnavailable`` when it does not answer.

    Each change is one transaction with its audit event and, where SES-2 asks for one, its notice. Changes raise
    ``AccountRefused`` for an account that may not be used at this moment, and then nothing was written.
    """

    async def is_held(self, identifier: Identifier) -> bool:
        """Return whether an account holds ``identifier``."""
        ...

    async def find(self, names: Sequence[Identifier]) -> Member | None:
        """Return the account that holds one of ``names``, the first of them that is held; one look for all of them.

        What somebody types may be read in several ways: as a username, as a number of several kinds of document.
        """
        ...

    async def member(self, account: str) -> Member | None:
        """Return the account, or None when there is none, or what is left of one that was cancelled."""
        ...

    async def is_linked(self, account: str) -> bool:
        """Return whether a platform link stands for the account: its owner can log in to 京通."""
        ...

    async def enrol(self, new: NewMember, now: Instant) -> Standing:
        """Create the account, or nothing; raise :class:`IdentifierTaken`. Its number counts as proved at ``now``."""
        ...

    async def set_password(
        self, account: str, password: str, kind: EventKind, now: Instant, *, was: str | None, keep: str | None = None
    ) -> None:
        """Keep the hash ``password``; ``kind`` is ``PASSWORD_CHANGED`` or ``PASSWORD_RESET``. Queues a notice.

        Does as :meth:`fence` does in the same transaction. Raises :class:`PasswordStale` unless the hash ``was``, which
        was decided on, is still kept (attack R3).
        """
        ...

    async def fence(self, account: str, keep: str | None) -> None:
        """Let no session in a browser but ``keep`` count any more (ADR 0017), nor what any browser is known by.

        What is left of those sessions is the caller's to end.
        """
        ...

    async def rehash(self, account: str, was: str, password: str) -> None:
        """Keep a new hash of the very same password; raise :class:`PasswordStale` unless ``was`` is still kept."""
        ...

    async def set_phone(self, account: str, number: str, now: Instant, keep: str | None = None) -> NumberGiven:
        """Give the account this number in place of the one it had; raise :class:`IdentifierTaken`.

        Counts as proved at ``now``. Queues a notice, unless it has the number already. Where it had another, every
        session of the account in a browser but ``keep`` is over in the same transaction: nobody finds one of them from
        then on. What is left of them is the caller's to end, so that pages are told, and so is telling that number.
        """
        ...

    async def phone_proved(self, account: str, now: Instant) -> None:
        """Note that the number was proved to be its owner's, at most once a day."""
        ...

    async def merge_phone(self, account: str, number: str, now: Instant) -> NumberGiven:
        """Do as :meth:`set_phone` does, and end the account that held the number, if that one has no identity.

        Raises :class:`IdentifierTaken` when the holder has an identity, or is locked: nobody gets out of that by a
        merge. One transaction; both are audited, and the account that stays is told.
        """
        ...

    async def set_mail(self, account: str, address: str, now: Instant) -> None:
        """Keep the address."""
        ...

    async def set_username(self, account: str, username: str, now: Instant) -> None:
        """Give the account this name; raise :class:`IdentifierTaken`."""
        ...

    async def set_ethnicity(self, account: str, ethnicity: str, now: Instant) -> None:
        """Keep the code."""
        ...

    async def cancel(self, account: str, now: Instant) -> Ended:
        """Cancel the account (ACC-7): every personal value, identifier, link and password of it is deleted.

        What stays is its reference, its status and the audit log; relying parties are told by an outbox. Sessions kept
        elsewhere are the caller's to end, afterwards: the status refuses new ones.
        """
        ...

    async def notices(self, account: str, limit: int) -> list[Notice]:
        """Return the newest notices, newest first."""
        ...

    async def see_notices(self, account: str, now: Instant, *, up_to: int) -> None:
        """Note that the account's notices up to the one of this id were shown; a later one was not."""
        ...

    async def history(
        self, account: str, limit: int, before: int | None = None, kinds: Sequence[EventKind] = ()
    ) -> list[tuple[int, AuditEvent]]:
        """Return the account's own security log (SES-3), newest first, each event with its number.

        ``before`` is the number of the last one seen. With ``kinds`` no others are looked at, so that however many
        of them strangers can cause, they push none out.
        """
        ...

    async def forget_notices(self, before: Instant, limit: int) -> int:
        """Delete at most ``limit`` notices from before ``before``, seen or not; return how many."""
        ...


class External(Struct, frozen=True):
    """A provider whose user logs in to the account, since when."""

    provider: Provider
    linked_at: Instant


class ExternalStore(Protocol):
    """What accounts are logged in to by elsewhere. Raises ``StoreUnavailable`` when it does not answer.

    A provider's user logs in to one account, and an account has one user of each provider.
    """

    async def link(self, account: str, identity: ExternalIdentity, proof: str | int, now: Instant) -> bool:
        """Let the provider's user log in to ``account``; return whether in place of another one of the same provider.

        ``proof`` is what somebody has proved that the account is theirs by: its number, or, for whoever is logged in,
        its epoch as they did. Audited and told, unless it is so already. Raises ``AccountRefused``,
        ``VerificationRequired`` when the account has left that epoch, and :class:`IdentifierTaken`: of the number when
        it is the account's no more, and of the provider when another account has its user.
        """
        ...

    async def linked(self, account: str) -> list[External]:
        """Return what the account has, in the order of :class:`bjidp.platforms.Provider`."""
        ...

    async def unlink(self, account: str, provider: Provider, now: Instant) -> bool:
        """Let no user of ``provider`` log in to the account any more; return whether one did. Audited and told.

        Raises ``AccountRefused``.
        """
        ...

    async def unlink_all(self, account: str, now: Instant) -> None:
        """Do so for every provider, and tell nothing; of an account that may not be used, too."""
        ...
