"""An organisation, who leads it, and who may act for it: the rules. Pure.

Owns how long the business register's word counts, and what somebody needs to act. Called by the use cases of this room,
which load and replace; the store holds nothing back that these rules decide.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from bjidp.accounts.ports import Evidence
from bjidp.clock import DAY, Instant, Millis
from bjidp.organisations.mandates import Scope
from bjidp.proofing.levels import level
from bjidp.proofing.terms import Term
from bjidp.standing import Level

FRESH: Final[Millis] = DAY
"""How long the register's yes needs no other: as long as any question to it counts as one of an account's."""

STALE: Final[Millis] = 3 * DAY
"""How long it counts while the register does not answer; after that nobody acts before it has."""

NEEDED: Final = Level.L3
"""What a person has to be to register an organisation, to take a mandate, and to act."""


class Role(StrEnum):
    """In what capacity somebody acts; words under ``organisation.role.*``."""

    REPRESENTATIVE = "representative"
    """法定代表人."""
    AGENT = "agent"
    """经办人."""


class Loss(StrEnum):
    """Why somebody leads an organisation no more, as the audit log has it."""

    TAKEN_OVER = "taken_over"
    """The register has confirmed another person, or the same one at another account, since."""
    IDENTITY_GONE = "identity_gone"
    """The account is no more the person whom the register has confirmed."""
    CANCELLED = "cancelled"
    """The account was cancelled."""
    REFUSED = "refused"
    """The register says no."""
    GIVEN_UP = "given_up"
    """Whoever led it has given it up."""


class Organisation(Struct, frozen=True, kw_only=True):
    """An organisation that an account leads. Code and name are public."""

    id: str
    credit_code: str
    name: str
    representative: str
    """The account."""
    bound_at: Instant
    """Since when that account has the identity of the person whom the register has confirmed."""
    led_at: Instant
    """Since when the account leads it; another one for whoever comes after."""
    confirmed_at: Instant
    """When the newest question was begun that the register has answered with a yes."""
    refused_at: Instant | None = None
    """When the newest question was begun that it has answered with a no that ends nothing; None since a later yes."""

    def asks(self, now: Instant) -> bool:
        """Tell whether the register has to be asked again."""
        return self.refused_at is not None or now - self.confirmed_at >= FRESH

    def must_be_confirmed(self, now: Instant) -> bool:
        """Tell whether nobody may act before the register has said yes again."""
        return self.refused_at is not None or now - self.confirmed_at >= STALE


class Worth(Struct, frozen=True):
    """What an identity is worth at any moment: how it was proved, and until when its document is valid."""

    evidence: Evidence
    term: Term

    def suffices(self, now: Instant) -> bool:
        """Tell whether it is what acting needs."""
        return is_proved(self.evidence, self.term, now)


class Capacity(Struct, frozen=True, kw_only=True):
    """What an account may act in: as the 法定代表人 of an organisation, or as its 经办人."""

    role: Role
    organisation: Organisation
    scope: Scope
    until: Instant | None
    """When a mandate ends; None for the 法定代表人."""
    mandate: str | None
    own: Worth
    """Of the identity that the person had when they came to it, and has still."""
    leader: Worth
    """Of the 法定代表人's, by whose word everybody else acts."""

    @property
    def key(self) -> str:
        """What a session remembers: of no other mandate, and of no other time of leading."""
        if self.mandate is not None:
            return f"m.{self.mandate}"
        return f"r.{self.organisation.id}.{self.organisation.led_at}"

    def lasts(self, now: Instant) -> bool:
        """Tell whether it has not ended by its time."""
        return self.until is None or now < self.until

    def acts(self, now: Instant) -> bool:
        """Tell whether the person may act in it."""
        return self.lasts(now) and self.own.suffices(now) and self.leader.suffices(now)

    def waits(self, now: Instant) -> bool:
        """Tell whether nothing but the level of the 法定代表人 keeps the person from acting."""
        return self.lasts(now) and self.own.suffices(now) and not self.leader.suffices(now)


def named_by(key: str) -> tuple[str | None, str | None]:
    """Return the organisation, or the mandate, that a capacity's key is about: what the audit log can name of it."""
    kind, _, rest = key.partition(".")
    return (None, rest) if kind == "m" else (rest.partition(".")[0], None)


def is_proved(evidence: Evidence, term: Term, now: Instant) -> bool:
    """Tell whether an identity is worth what acting needs."""
    return level(evidence, term, now) >= NEEDED
