"""Accounts as the rest of the program sees them, and the store behind them.

Owns the nouns (account, platform link, bound identity) and the port that ``storage.sql`` implements. Called by
``miniprogram`` (registration and login), ``qrlogin`` (may this account log in?) and ``web`` (the personal centre).
One call is one transaction; a rule about who may hold what is decided by the database's own uniqueness, so two
processes cannot both be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from bjidp.clock import Instant
from bjidp.person import Person
from bjidp.platforms import PlatformIdentity
from bjidp.standing import Level
from bjidp.standing import Standing as Standing  # noqa: PLC0414 - part of this port
from bjidp.standing import Status as Status  # noqa: PLC0414 - part of this port


class Evidence(StrEnum):
    """How an account's identity was proved, weakest first (RNV-7)."""

    NAME_AND_NUMBER = "name_and_number"
    BANK_CARD = "bank_card"
    FACE = "face"


class Profile(Struct, frozen=True):
    """The account as its owner is shown it: every value masked as in the manual."""

    standing: Standing
    username: str
    phone: str | None
    created_at: Instant


class IdentityHolder(Struct, frozen=True):
    """The account that holds an identity, how well it proved it, and what may be shown to whoever claims it."""

    account: str
    level: Level
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


class AccountStore(Protocol):
    """Accounts, their identities and their platform links. Raises ``StoreUnavailable`` when it does not answer."""

    async def link_of(self, identity: PlatformIdentity) -> tuple[Link, Standing] | None:
        """Return the link of a platform identity with its account's standing, or None."""
        ...

    async def holder_of(self, person: Person) -> IdentityHolder | None:
        """Return who holds the identity ``person.document_type`` + ``person.number``, or None."""
        ...

    async def register(self, new: NewAccount, now: Instant) -> tuple[Link, Standing]:
        """Create the account with everything in :class:`NewAccount`, or nothing.

        A former link of the same platform identity is replaced. Raises :class:`IdentityTaken`.
        """
        ...

    async def relink(
        self, account: str, new: NewAccount, *, probation_until: Instant | None, now: Instant
    ) -> tuple[Link, Standing]:
        """Link the platform identity to ``account`` in place of an older one of the same platform (REG-7).

        Refreshes the face evidence, audits a recovery when the link is new, queues a notice to the account's
        other channels. Re-linking the very same identity keeps its link id. Raises ``AccountRefused``, and
        :class:`IdentityTaken` when ``account`` does not hold the identity any more.
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
