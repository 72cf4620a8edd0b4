"""Whether the authority knows a person as they were stated: the first question of every proof on pages (RNV-2, RNV-4).

Owns what its yes is worth, and what its no is told as. Called by the real-name and the bank-card service, before the
bank is asked and before anything is written.
"""

from __future__ import annotations

from bjidp.accounts.ports import Evidence
from bjidp.person import Person, Sex
from bjidp.proofing.adjudication import Denied, by_authority
from bjidp.proofing.asking import Asking
from bjidp.proofing.errors import refusal
from bjidp.proofing.ports import NewIdentity
from bjidp.proofing.terms import Term


async def confirmed(asking: Asking, account: str, person: Person, *, term: Term, sex: Sex | None) -> NewIdentity:
    """Return the identity that name and number prove, with the ``term`` and ``sex`` that were stated beside them.

    Raises ``IdentityMismatch`` or its kin for every answer but a clear yes, and what
    :meth:`bjidp.proofing.asking.Asking.authority` raises.
    """
    answer = await asking.authority(account, person)
    verdict = by_authority(person, answer.finding)
    if isinstance(verdict, Denied):
        raise refusal(verdict)
    return NewIdentity(
        person=person,
        evidence=Evidence.NAME_AND_NUMBER,
        evidence_reference=answer.reference,
        authority_reference=verdict.reference,
        term=term,
        sex=sex,
    )
