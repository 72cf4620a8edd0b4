"""Whether two sets of times can be told apart.

By ranks, which no outlier moves: the chance that one of the first is greater than one of the second (Mann and Whitney's
U, divided). It is 0.5 where nothing tells them apart, and 0 or 1 where each one of them does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

ERRORS: Final = 3.0
"""How many standard errors the chance may be away from 0.5: chance alone is further in one run of 370."""


class Superiority(NamedTuple):
    """The chance, and the standard error it would have if both sets were of one kind."""

    chance: float
    error: float

    @property
    def told_apart(self) -> bool:
        return abs(self.chance - 0.5) > ERRORS * self.error


def superiority(first: Sequence[float], second: Sequence[float]) -> Superiority:
    """Return the chance that one of ``first`` is greater than one of ``second``; equals count half."""
    won = sum((one > other) + (one == other) / 2 for one in first for other in second)
    pairs = len(first) * len(second)
    return Superiority(won / pairs, math.sqrt((len(first) + len(second) + 1) / (12 * pairs)))
