"""What an account's identity counts as proved by, once it was proved again (RNV-7).

Owns the one rule. Pure; called by the stores that write identities, with what is there, within their transactions.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts.ports import Evidence
from bjidp.clock import Instant
from bjidp.proofing.terms import Term, Unstated, has_run_out


class Proof(Struct, frozen=True):
    """How an identity was proved, under which reference of ours, and until when the document is valid."""

    evidence: Evidence
    reference: str
    term: Term


def renewed(held: Proof, new: Proof, now: Instant) -> Proof:
    """Return what counts after ``new``.

    What was proved better before counts on, and its reference with it. Once its document has run out it counts for
    nothing beside the dates of another one; a proof that states none leaves it worn.
    """
    states = not isinstance(new.term, Unstated)
    if states and has_run_out(held.term, now):
        return new
    better = held if held.evidence.outweighs(new.evidence) else new
    return Proof(better.evidence, better.reference, new.term if states else held.term)
