"""Asking registers for an account: once for each question, whatever is repeated.

Owns the order that makes a question cost once (RNV-4): it is written down, asked under its own reference, and its
answer written down. Called by the real-name and the bank-card service, who decide by
:mod:`bjidp.proofing.adjudication`.

**What a crash leaves.** Written down and not answered: the same question asked again goes to the register under the
same reference, which answers as before and charges nothing. Answered: it is not asked again within a day.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bjidp.clock import Clock
from bjidp.person import Person
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.proofing.adjudication import Register
from bjidp.proofing.ports import CheckStore
from bjidp.vendors.ports import Authority, Finding

MOST: Final = 3
"""Questions about persons that an account has in 24 hours (REG-5): names are not to be tried out on numbers."""


class Answer(Struct, frozen=True):
    """What a register said, and our own reference of the question."""

    reference: str
    finding: Finding


class Asking:
    """Asks registers. A store that is down raises ``StoreUnavailable``, a register ``VendorUnavailable``."""

    def __init__(self, *, checks: CheckStore, authority: Authority, pseudonyms: Pseudonyms, clock: Clock) -> None:
        """Write down in ``checks``."""
        self._checks = checks
        self._authority = authority
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def authority(self, account: str, person: Person) -> Answer:
        """Return whether the authority knows ``person``.

        Raises ``RateLimited`` for the fourth person in 24 hours, and ``AccountRefused``.
        """
        facts = self._pseudonyms.digest("proofing.authority", person.document_type, person.name, person.number)
        check = await self._checks.begin(account, Register.AUTHORITY, facts, self._clock.now(), most=MOST)
        if check.finding is not None:
            return Answer(check.reference, check.finding)
        finding = await self._authority.check(person, reference=check.reference)
        await self._checks.answered(check.reference, finding, self._clock.now())
        return Answer(check.reference, finding)
