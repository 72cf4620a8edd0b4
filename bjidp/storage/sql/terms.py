"""Until when a document is valid, as the one column ``runs_out_at``.

Owns that each of the three things that may be known has one value, which compares as it is meant: what runs out never
does so after everything else. Called by whatever reads or writes identities.
"""

from __future__ import annotations

from typing import Final

from bjidp.clock import Instant
from bjidp.proofing.terms import FOR_LIFE, UNSTATED, ForLife, Term, Unstated, Until

NEVER: Final = 2**63 - 1
"""A document that is valid for life: the greatest value of the column. NULL is one whose dates nobody has stated."""


def term_column(term: Term) -> Instant | None:
    """Return the value that stands for ``term``."""
    match term:
        case Until(end=end):
            return end
        case ForLife():
            return NEVER
        case Unstated():
            return None


def term_from(value: Instant | None) -> Term:
    """Return the term that a value stands for."""
    if value is None:
        return UNSTATED
    return FOR_LIFE if value == NEVER else Until(value)
