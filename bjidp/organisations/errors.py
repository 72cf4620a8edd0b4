"""How dealing with organisations fails, beside :mod:`bjidp.errors`."""

from __future__ import annotations

from enum import StrEnum

from bjidp.errors import BjidpError


class Refusal(StrEnum):
    """What the register's no is about; words under ``organisation.advice.*``, each with what to do."""

    NAME = "name"
    REPRESENTATIVE = "representative"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    DEREGISTERED = "deregistered"
    TERM_OVER = "term_over"
    OTHER = "other"


class OrganisationRefused(BjidpError):
    """The business register does not confirm it; ``refusal`` says what is wrong."""

    code = "organisation_refused"

    def __init__(self, refusal: Refusal) -> None:
        """Say what is wrong."""
        super().__init__(refusal=refusal)
        self.refusal = refusal


class OrganisationHeld(BjidpError):
    """The register has confirmed another account as its 法定代表人 since it was asked about this one."""

    code = "organisation_held"


class OrganisationUnknown(BjidpError):
    """There is no such organisation, mandate or offer for this account, or not any more: one and the same answer."""

    code = "organisation_unknown"


class MandatesFull(BjidpError):
    """The organisation has as many offers and mandates as it may have at a time."""

    code = "mandates_full"


class LevelRequired(BjidpError):
    """The account's identity is not proved well enough, or is another one than it was decided on."""

    code = "level_required"


class ActingOnProbation(BjidpError):
    """This login was confirmed by a phone that a face alone has linked: it may not act for an organisation."""

    code = "acting_on_probation"
