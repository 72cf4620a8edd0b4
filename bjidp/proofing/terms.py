"""Until when a document is valid, as far as its holder has stated it: the dates lower a level and raise none (RNV-1).

Owns the three things that can be known of it. Pure; called by whatever proves, keeps or weighs an identity.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from msgspec import Struct

from bjidp.clock import Instant


class Unstated(Struct, frozen=True, tag="unstated"):
    """Nobody has stated it: a proof by a card or a face asks for no dates."""


class ForLife(Struct, frozen=True, tag="for_life"):
    """It runs out never: 长期."""


class Until(Struct, frozen=True, tag="until"):
    """It is valid until ``end``, and not at that moment."""

    end: Instant


Term: TypeAlias = Unstated | ForLife | Until

UNSTATED: Final = Unstated()
FOR_LIFE: Final = ForLife()


def has_run_out(term: Term, now: Instant) -> bool:
    """Tell whether a document of this term is valid no more."""
    return isinstance(term, Until) and now >= term.end
