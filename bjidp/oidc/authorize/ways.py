"""What raises an account to the level that a site asks for (RNV-9).

Owns which settings are offered, in the order of what they ask of people. Each is there for everybody; which of them
there are here, and what a page asks first, is known where they are. Pure; called by the authorization endpoint's pages.
"""

from __future__ import annotations

from bjidp.accounts.ports import Evidence
from bjidp.proofing.levels import LEVELS, SHOWS_A_FACE
from bjidp.standing import Level
from bjidp.verification.operation import Operation


def ways(has: Level, wanted: Level, *, worn: bool) -> tuple[Operation, ...]:
    """Return the settings that lead an account from the level it ``has`` to ``wanted``, or nearer to it.

    ``worn`` tells that its document has run out, which no card raises it from.
    """
    offered = []
    if has < LEVELS[Evidence.NAME_AND_NUMBER]:
        # The first of two steps where more is wanted: a face is compared with an identity that there is.
        offered.append(Operation.REAL_NAME)
    if LEVELS[Evidence.BANK_CARD] >= wanted and not worn:
        offered.append(Operation.BANK_CARD)
    if has >= SHOWS_A_FACE and LEVELS[Evidence.FACE] >= wanted:
        offered.append(Operation.FACE)
    return tuple(offered)
