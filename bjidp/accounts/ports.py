"""Accounts as the rest of the program sees them, and the store behind them.

Owns the nouns (account, platform link, bound identity) and the port that ``storage.sql`` implements for phones and
logins; what people do with an account on pages is in ``member_ports``. Called by ``miniprogram`` (registration and
login), ``qrlogin`` (may this account log in?) and the flows of ``accounts``. One call is one transaction; a rule about
who may hold what is decided by the database's own uniqueness, so two processes cannot both be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from msgspec import Struct

from bjidp.clock import Instant
from bjidp.person import Person
from bjidp.platforms import PlatformIdentity
from bjidp.standing import Standing


class Evidence(StrEnum):
    """How an account's identity was proved, weakest first (RNV-7)."""

    NAME_AND_NUMBER = "name_and_number"
    BANK_CARD = "bank_card"
    FACE = "face"

    def outweighs(self, other: Evidence) -> bool:
        """Tell whether this proof is the better one."""
        weights = list(Evidence)
        return weights.index(self) > weights.index(other)


class Profile(Struct, frozen=True):
    """The account as its owner is shown it: every value masked as in the manual."""

    standing: Standing
    username: str
    phone: str | None
    created_at: Instant


class IdentityHolder(Struct, frozen=True):
    """The account that holds an identity, how well it proved it, and what may be shown to whoever claims it."""

    account: str
    evidence: Evidence
    username: str
    phone: str | None


class Link(Struct, frozen=True):
    """A platform identity that stands for an account.

    ``face_checked_at`` and ``valid_days`` say how long the platform's own login suffices (wire.md 3);
    ``probation_until`` is set when the link was made by recovery.
    """

    id: str
    account: str
    face_checked_at: Instant
    valid_days: int
    probation_until: Instant | None


class NewAccount(Struct, frozen=True):
    """What registration by face creates in one transaction: account, identity at L3, link, audit event."""

    person: Person
    identity: PlatformIdentity
    valid_days: int
    evidence: Evidence
    evidence_reference: str
    authority_reference: str


class IdentityTaken(Exception):
    """Another account came to hold the identity meanwhile: ask again who holds it and decide again."""


class Gone(Struct, frozen=True):
    """What went from an account in a transaction: nothing else leads to what is left of it elsewhere from then on."""

    links: tuple[str, ...] = ()
    """The platform links that stood for it, and stand for it no more."""
    sessions: tuple[str, ...] = ()
    """The sessions on phones that ended with the transaction, where they were kept beside the account."""
    agents: tuple[str, ...] = ()
    """The accounts that acted for an organisation by its word, and do so no more. A process of the release before
    keeps none."""


NOTHING: Final = Gone()


class Linked(NamedTuple):
    """A platform identity that stands for an account from now on, and what the transaction has ended."""

    link: Link
    standing: Standing
    gone: Gone = NOTHING
    """The links that this one took the place of, whosever they were."""
    lost: Gone = NOTHING
    """What went from the account that the identity was taken from; its links stay."""


class AccountStore(Protocol):
    """Accounts, their identities and their platform links. Raises ``StoreUnavailable`` when it does not answer."""

    async def link_of(self, identity: PlatformIdentity) -> tuple[Link, Standing] | None:
        """Return the link of a platform identity with its account's standing, or None."""
        ...

    async def link(self, link: str) -> Link | None:
        """Return a link by its id, or None when it was replaced or removed."""
        ...

    async def linked_identity(self, link: str) -> PlatformIdentity | None:
        """Return the platform identity that a link stands on, or None when it was replaced or removed."""
        ...

    async def holder_of(self, person: Person) -> IdentityHolder | None:
        """Return who holds the identity ``person.document_type`` + ``person.number``, or None."""
        ...

    async def register(self, new: NewAccount, now: Instant) -> Linked:
        """Create the account with everything in :class:`NewAccount`, or nothing.

        A former link of the same platform identity is replaced. Raises :class:`IdentityTaken`.
        """
        ...

    async def relink(self, account: str, new: NewAccount, *, probation_until: Instant | None, now: Instant) -> Linked:
        """Link the platform identity to ``account`` in place of an older one of the same platform (REG-7).

        Refreshes the face evidence, audits a recovery when the link is new, queues a notice to the account's
        other channels. Re-linking the very same identity keeps its link id. Raises ``AccountRefused``, and
        :class:`IdentityTaken` when ``account`` does not hold the identity any more.
        """
        ...

    async def take_over(self, loser: str, new: NewAccount, now: Instant) -> Linked:
        """Create an account with the identity that ``loser`` holds by a weaker proof (RNV-7).

        The loser keeps its name, number and password, and everybody is put out of it in the same transaction: what
        sessions are kept elsewhere open nothing from then on, and are the caller's to delete. Both are audited and
        told. Raises :class:`IdentityTaken` when ``loser`` does not hold the identity any more, or has proved it better
        meanwhile, ``AccountRefused`` when it may not be used, since nobody gets out of that by a new account, and
        ``RateLimited`` when the identity moved in the last 24 hours.
        """
        ...

    async def standing(self, account: str) -> Standing | None:
        """Return the account's standing, or None when there is no such account."""
        ...

    async def profile(self, account: str) -> Profile | None:
        """Return the masked profile, or None."""
        ...

    async def networks(self, account: str, network: Sequence[bytes]) -> tuple[bool, bool]:
        """Return whether the account has ever logged in by QR, and whether it did so from ``network``.

        A network is given by its digests, one for each active key version: a rotation makes nobody a stranger.
        """
        ...

    async def forget_networks(self, before: Instant, limit: int) -> int:
        """Forget at most ``limit`` networks that nobody logged in from since ``before``; return how many.

        As many as ``limit``: ask again. The last login from a network is known to the day.
        """
        ...
