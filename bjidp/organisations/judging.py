"""From the business register's answer to what it is about, and what becomes of an organisation by it (ORG-1).

Owns the one rule. Pure; called by the registration and by whoever asks again.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from bjidp.organisations.errors import Refusal
from bjidp.vendors.ports.registers import Finding, Reason, RegisterAnswer

_BY_REASON: Final = MappingProxyType(
    {
        Reason.ORGANISATION_NAME: Refusal.NAME,
        Reason.REPRESENTATIVE: Refusal.REPRESENTATIVE,
        Reason.ORGANISATION_REVOKED: Refusal.REVOKED,
        Reason.ORGANISATION_DEREGISTERED: Refusal.DEREGISTERED,
        Reason.ORGANISATION_TERM_OVER: Refusal.TERM_OVER,
    }
)

ENDS_IT: Final = frozenset({Refusal.REPRESENTATIVE, Refusal.REVOKED, Refusal.DEREGISTERED})
"""What ends somebody's leading an organisation. Everything else (another name, a licence to be extended, a record that
is missing) keeps people from acting until it is put right, and takes nothing from anybody."""


def refusal(finding: Finding) -> Refusal | None:
    """Return what the register's no is about; None for a clear yes and for nothing else."""
    if finding.answer is RegisterAnswer.MATCH:
        return None
    if finding.answer is RegisterAnswer.UNKNOWN:
        return Refusal.UNKNOWN
    return Refusal.OTHER if finding.reason is None else _BY_REASON.get(finding.reason, Refusal.OTHER)
