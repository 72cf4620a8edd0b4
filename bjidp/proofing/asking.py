"""Asking registers for an account: once for each question, whatever is repeated.

Owns the order that makes a question cost once (RNV-4): it is written down, asked under its own reference, and its
answer written down. Called by ``confirmation`` and the bank-card service, who decide by
:mod:`bjidp.proofing.adjudication`, and by ``organisations``, who have rules of their own.

**What a crash leaves.** Written down and not answered: the same question asked again goes to the register under the
same reference, which answers as before and charges nothing. Answered: a yes is not asked for again on the same day, nor
a no within minutes (:mod:`bjidp.proofing.repeats`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct

from bjidp.clock import Clock, Instant
from bjidp.errors import VendorUnavailable
from bjidp.person import Person
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.proofing.ports import CheckStore, Register
from bjidp.vendors.ports.registers import Authority, Bank, BusinessRegister, CardFacts, Finding, OrganisationFacts

MOST: Final = 3
"""Questions to each register that an account has in 24 hours (REG-5): names are not to be tried out on numbers."""


OF_EACH: Final = 2
"""Questions about one organisation that is led already, in any 24 hours: one for each day that they touch."""


class Answer(Struct, frozen=True):
    """What a register said, our own reference of the question, and when that was begun."""

    reference: str
    finding: Finding
    begun_at: Instant


class Asking:
    """Asks registers. A store that is down raises ``StoreUnavailable``, a register ``VendorUnavailable``."""

    def __init__(
        self,
        *,
        checks: CheckStore,
        authority: Authority,
        bank: Bank | None,
        business_register: BusinessRegister | None,
        pseudonyms: Pseudonyms,
        clock: Clock,
    ) -> None:
        """Write down in ``checks``. Without a ``bank`` nobody is asked about cards, and so for organisations."""
        self._bank = bank
        self._business_register = business_register
        self._checks = checks
        self._authority = authority
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def authority(self, account: str, person: Person) -> Answer:
        """Return whether the authority knows ``person``.

        Raises ``RateLimited`` for the fourth question in 24 hours, and ``AccountRefused``.
        """
        facts = self._pseudonyms.digest("proofing.authority", *_words(person))
        return await self._asked(
            account, Register.AUTHORITY, facts, lambda reference: self._authority.check(person, reference=reference)
        )

    async def organisation(self, account: str, facts: OrganisationFacts, *, led: int) -> Answer:
        """Return whether an organisation is led by this person, whose account it is.

        The account leads ``led`` of them already, and the register is asked about each of those anew once a day: that
        counts for nothing. Raises as :meth:`bank` does.
        """
        register = self._business_register
        if register is None:
            raise VendorUnavailable
        asked = self._pseudonyms.digest(
            "proofing.organisation", facts.credit_code, facts.name, *_words(facts.representative)
        )
        return await self._asked(
            account,
            Register.BUSINESS,
            asked,
            lambda reference: register.check(facts, reference=reference),
            most=MOST + OF_EACH * led,
        )

    async def bank(self, account: str, facts: CardFacts) -> Answer:
        """Return whether the four factors belong together.

        Raises ``RateLimited`` for the fourth question in 24 hours, ``AccountRefused``, and ``VendorUnavailable`` where
        there is no bank to ask.
        """
        bank = self._bank
        if bank is None:
            raise VendorUnavailable
        asked = self._pseudonyms.digest("proofing.bank", *_words(facts.person), facts.card_number, facts.phone)
        return await self._asked(
            account, Register.BANK, asked, lambda reference: bank.check(facts, reference=reference)
        )

    async def _asked(
        self,
        account: str,
        register: Register,
        facts: bytes,
        ask: Callable[[str], Awaitable[Finding]],
        *,
        most: int = MOST,
    ) -> Answer:
        check = await self._checks.begin(account, register, facts, self._clock.now(), most=most)
        if check.finding is not None:
            return Answer(check.reference, check.finding, check.begun_at)
        finding = await ask(check.reference)
        await self._checks.answered(check.reference, finding, self._clock.now())
        return Answer(check.reference, finding, check.begun_at)


def _words(person: Person) -> tuple[str, str, str]:
    return person.document_type.value, person.name, person.number
