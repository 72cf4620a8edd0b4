"""What proofing needs from outside: the store of identities, and the record of what registers were asked.

Owns the two ports and their nouns. Implemented by ``storage.sql``; called by the use cases of this room. One call is
one transaction.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from bjidp.accounts.ports import Evidence, Gone
from bjidp.clock import Instant
from bjidp.person import Person, Sex
from bjidp.proofing.levels import SHOWS_A_FACE, level
from bjidp.proofing.terms import UNSTATED, Term, has_run_out
from bjidp.standing import Level, Standing
from bjidp.vendors.ports.registers import Finding


class Bound(Struct, frozen=True, kw_only=True):
    """The identity of an account."""

    person: Person
    evidence: Evidence
    bound_at: Instant
    term: Term
    evidence_reference: str
    """Our own, of the proof that counts."""
    newest_reference: str
    """Our own, of the newest proof, which a better one before it may outweigh."""
    authority_reference: str
    """The authority's, of its newest yes."""
    version: int

    def has_run_out(self, now: Instant) -> bool:
        """Tell whether its document has."""
        return has_run_out(self.term, now)

    def level(self, now: Instant) -> Level:
        """Return what it is worth."""
        return level(self.evidence, self.term, now)

    def shows_a_face(self, now: Instant) -> bool:
        """Tell whether a face may be compared with it."""
        return self.level(now) >= SHOWS_A_FACE

    @property
    def mark(self) -> str:
        """Another one whenever it was proved, exchanged or taken: what was decided on one is not done on another."""
        return mark(self.bound_at, self.version, self.newest_reference)

    def came_with(self, mark: str) -> bool:
        """Tell whether it is the one that ``mark`` is of, whatever has proved it since."""
        return mark.partition(".")[0] == str(self.bound_at)


def mark(bound_at: Instant, version: int, newest_reference: str) -> str:
    """Return what :attr:`Bound.mark` is; of two that came at the same moment the references differ."""
    return f"{bound_at}.{version}.{newest_reference}"


class NewIdentity(Struct, frozen=True, kw_only=True):
    """A person, and what proved who they are."""

    person: Person
    evidence: Evidence
    evidence_reference: str
    authority_reference: str
    term: Term = UNSTATED
    """As it was stated beside the proof. A proof without dates leaves those that the account has stated of this very
    document, before it gave it up too, and with them a level that is worn."""
    sex: Sex | None = None
    """What the person stated, where the number does not tell it; None leaves what is there."""

    def __repr__(self) -> str:
        """Show how it was proved alone."""
        return f"NewIdentity({self.evidence}, ***)"


class PutOut(Struct, frozen=True):
    """An account that everybody was put out of, in a transaction, since its identity is not the one it was."""

    account: str
    ref: str
    phone: str | None
    """Eleven digits, to tell it; None for an account without one."""
    gone: Gone

    def __repr__(self) -> str:
        """Show whose it is by its reference alone."""
        return f"PutOut({self.ref!r}, ***)"


class Settled(Struct, frozen=True):
    """The identity is the account's."""

    standing: Standing
    loser: PutOut | None
    """Whose it was; that account keeps its name, number and password."""
    exchanged: PutOut | None
    """The account itself, where it took the place of another identity."""


class Held(Struct, frozen=True):
    """Another account holds the identity, and this proof does not take it; nothing was changed."""

    by: tuple[Evidence, ...]
    """What would take it, weakest first; nothing where the account that holds it is locked, so that people decide."""


class IdentityChanged(Exception):
    """The account's identity is not the one that was decided on, or was proved anew since; nothing was changed."""


class EpochOver(Exception):
    """Sessions of the account were ended since it was decided; nothing was changed."""


class Worn(Struct, frozen=True):
    """How many accounts were told that their documents have run out, and whether more may have to be."""

    told: int
    more: bool


class IdentityStore(Protocol):
    """Identities and whose they are. Raises ``StoreUnavailable`` when it does not answer."""

    async def bound(self, account: str) -> Bound | None:
        """Return the identity of an account, or None."""
        ...

    async def stated(self, account: str, person: Person) -> Term:
        """Return what an account has stated of a document that was its own before, and is not now."""
        ...

    async def prospect(self, account: str, person: Person, evidence: Evidence, now: Instant) -> Held | None:
        """Return what would keep such a proof from making the identity the account's, None where nothing would.

        For a look before anybody is paid for the proof: nothing stands still for it. Raises ``RateLimited``.
        """
        ...

    async def prove(
        self,
        account: str,
        new: NewIdentity,
        now: Instant,
        *,
        was: str | None,
        exchange: bool = False,
        keep: str | None = None,
        epoch: int | None = None,
    ) -> Settled | Held:
        """Make the identity the account's, by the rules of :mod:`bjidp.proofing.binding`, and audit it.

        Whoever loses it is audited and told, and everybody is put out of that account in the same transaction. With
        ``exchange`` an identity that the account has gives way (RNV-5): then everybody but the session ``keep`` is put
        out of this one too, and phones that a former face has linked are linked no more. What sessions are kept
        elsewhere open nothing from then on, and are the caller's to delete. ``was`` is the mark of the identity that
        the account had when this was decided on, None where it had none. ``epoch`` is the account's then, where no
        proof is used up for this. Raises, with nothing changed, :class:`EpochOver` where that is over;
        :class:`IdentityChanged` for an account that has another mark by now, before everything else;
        :class:`bjidp.proofing.errors.IdentityOther` for one that has another identity, without ``exchange``;
        ``RateLimited`` when the identity moved in the last 24 hours; and ``AccountRefused`` for an account that may not
        be used.
        """
        ...

    async def unbind(self, account: str, now: Instant) -> PutOut | None:
        """Take the account's identity away (RNV-6); return None when it had none. Raises ``AccountRefused``.

        Everybody is put out, and phones are linked no more, in the same transaction.
        """
        ...

    async def wear(self, now: Instant, limit: int) -> Worn:
        """Tell the accounts of at most ``limit`` identities that their documents have run out, each once."""
        ...


class Register(StrEnum):
    """Who was asked."""

    AUTHORITY = "authority"
    BANK = "bank"
    BUSINESS = "business_register"
    """Of organisations: it proves nobody."""


class Check(Struct, frozen=True):
    """A question to a register, written down before it is asked.

    ``reference`` is ours and the register's key for repeats: asked again with it, it answers the same and charges
    nothing (RNV-4). ``finding`` is its answer, None while there is none.
    """

    reference: str
    finding: Finding | None
    begun_at: Instant


class CheckStore(Protocol):
    """What registers were asked for accounts. Raises ``StoreUnavailable`` when it does not answer."""

    async def begin(self, account: str, register: Register, facts: bytes, now: Instant, *, most: int) -> Check:
        """Return the check of exactly these ``facts``, a keyed digest, that the account began and that serves still.

        How long one does is :mod:`bjidp.proofing.repeats`'s. Without one it is begun, and written before this returns:
        whoever crashes after the question repeats it under the same reference. Raises ``RateLimited`` when the account
        has begun ``most`` in the last 24 hours (REG-5); of parallel calls no more are begun.
        """
        ...

    async def answered(self, check: str, finding: Finding, now: Instant) -> None:
        """Keep what the register said of the check of this reference."""
        ...

    async def forget(self, before: Instant, limit: int) -> int:
        """Delete at most ``limit`` checks that were begun before ``before``; return how many."""
        ...
