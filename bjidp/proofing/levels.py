"""Levels L1 to L4: what an account's identity is worth (RNV-1).

Owns how proofs and dates make a level. Pure; called by whoever looks at an identity or an account, at that moment: a
level is stored nowhere.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from bjidp.accounts.ports import Evidence
from bjidp.clock import Instant
from bjidp.proofing.terms import Term, has_run_out
from bjidp.standing import Level

LEVELS: Final = MappingProxyType(
    {
        Evidence.NAME_AND_NUMBER: Level.L2,
        Evidence.BANK_CARD: Level.L3,
        Evidence.FACE: Level.L3,
    }
)
"""What each proof is worth. L4, 实证核验认证, is being built by the city: nothing leads there."""

WORN: Final = Level.L1
"""What an identity is worth whose document has run out. The account keeps it, and nobody takes it more easily: it has
to be proved anew, with the dates of the document that is valid now, before anything else raises it."""


SHOWS_A_FACE: Final = Level.L2
"""What an identity has to be worth before a face is compared with it (attack B5)."""


def level(proof: Evidence, term: Term, now: Instant) -> Level:
    """Return the level of an identity that was proved by ``proof`` with a document of this ``term``."""
    return WORN if has_run_out(term, now) else LEVELS[proof]
