"""The refresh tokens of a grant: one is good at a time, and using an old one ends them all.

Owns the rotation (RFC 9700, section 4.14.2; attack T7). A grant counts the tokens it has given and each token names its
number, so nothing is kept of those that are over. There is no grace for an answer that got lost: of twenty who use one
token at once one succeeds, and nobody can tell which of them the person's own site was. Pure; called by the token
endpoint.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bjidp.clock import DAY, Instant, Millis

LONGEST: Final[Millis] = 30 * DAY
"""How long the tokens of one grant go on altogether, however often they are used (ASVS 10.4.8)."""


class Family(Struct, frozen=True):
    """The refresh tokens of one grant; ``number`` is that of the newest, 1 for the first."""

    number: int
    ends_at: Instant


class FamilyOver(Exception):
    """Nothing is given for this token; ``stolen``: two parties have held it, and the grant has to end."""

    def __init__(self, *, stolen: bool) -> None:
        """Say whether the grant has to end."""
        super().__init__(stolen)
        self.stolen = stolen


def begun(now: Instant) -> Family:
    """Return the family whose first token is given now."""
    return Family(1, now + LONGEST)


def refreshed(family: Family, number: int, now: Instant) -> Family:
    """Return the family after its token ``number`` was used; its newest is what the answer carries.

    Raises :class:`FamilyOver`. A number that was never given tells nothing about anybody and ends nothing.
    """
    if now >= family.ends_at or not 1 <= number <= family.number:
        raise FamilyOver(stolen=False)
    if number < family.number:
        raise FamilyOver(stolen=True)
    return replace(family, number=number + 1)
