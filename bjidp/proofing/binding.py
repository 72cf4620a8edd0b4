"""Who may hold an identity: one identity, one account, and the better proof wins (RNV-7).

Owns the decision alone. Pure: what is there is read, and what is decided is written, in one transaction of the store,
so that two accounts that prove one identity at the same moment take turns. Called by the stores that write identities,
and by ``miniprogram``, which leads people to the account they have.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from msgspec import Struct

from bjidp.accounts.ports import Evidence
from bjidp.clock import DAY, SECOND, Instant, Millis
from bjidp.standing import MAY_LOG_IN, Status

MOVES_EVERY: Final[Millis] = DAY
"""How long an identity that moved stays where it is: two people who both can prove it do not pull it to and fro."""


class Holding(Struct, frozen=True):
    """The account that holds an identity, how well it proved it, and when it came there from another account."""

    account: str
    status: Status
    evidence: Evidence
    moved_at: Instant | None


class Bind(Struct, frozen=True):
    """Nobody holds it: the account does from now on."""


class Renew(Struct, frozen=True):
    """The account holds it already: what counts from now on is :mod:`bjidp.proofing.renewal`'s."""


class Move(Struct, frozen=True):
    """Another account holds it, and loses it."""

    loser: str


class Keep(Struct, frozen=True):
    """Another account holds it, and this proof does not take it.

    ``by`` is what would, weakest first; nothing, where people have to decide.
    """

    by: tuple[Evidence, ...]


class Wait(Struct, frozen=True):
    """The proof would take it, but it moved a moment ago: the seconds until it may move again."""

    seconds: int


Decision: TypeAlias = Bind | Renew | Move | Keep | Wait


def decide(claimant: str, proof: Evidence, holding: Holding | None, now: Instant) -> Decision:
    """Say what becomes of an identity that ``claimant`` has proved at ``now``.

    Name and number take it from nobody, however weakly it is held: somebody else may know both. Nobody gets out of a
    lock by another account (attack Q21): people decide, by 人工申诉.
    """
    if holding is None:
        return Bind()
    if holding.account == claimant:
        return Renew()
    if holding.status is not MAY_LOG_IN:
        return Keep(())
    takes = taking(holding.evidence)
    if proof not in takes:
        return Keep(takes)
    seconds = stays(holding, now)
    return Wait(seconds) if seconds else Move(holding.account)


def stays(holding: Holding, now: Instant) -> int:
    """Return for how many seconds an identity that moved stays where it is; 0 for one that may move."""
    if holding.moved_at is None or now - holding.moved_at >= MOVES_EVERY:
        return 0
    return -(-(holding.moved_at + MOVES_EVERY - now) // SECOND)


def award(claimant: str, holding: Holding | None) -> Bind | Renew | Move:
    """Say what becomes of an identity that people have decided is ``claimant``'s (RNV-8).

    They decide where the rules do not: whichever way it was proved, and whenever it moved.
    """
    if holding is None:
        return Bind()
    return Renew() if holding.account == claimant else Move(holding.account)


def taking(held_by: Evidence) -> tuple[Evidence, ...]:
    """Return the proofs that take an identity from an account that proved it by ``held_by``, weakest first."""
    weights = list(Evidence)
    least = max(weights.index(held_by), weights.index(Evidence.BANK_CARD))
    return tuple(weights[least:])


def is_led_to(holder: Evidence, proof: Evidence) -> bool:
    """Tell whether who proves an identity by ``proof`` on a phone is led to the account that holds it (REG-7).

    There the person comes first: an account that was proved as well is theirs. On pages the account does, which is
    logged in already, and as good a proof moves the identity to it.
    """
    return not proof.outweighs(holder)
