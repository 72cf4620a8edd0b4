"""Asking the business register again about an organisation that is led already (ORG-1).

Owns that nobody goes on acting for one whose register says otherwise: before somebody begins to, its word of yesterday
is asked for anew. Called by :mod:`bjidp.organisations.acting`. While the register is silent its last yes counts, for
:data:`bjidp.organisations.organisation.STALE`: an outage of theirs is to lock nobody out for an afternoon.
"""

from __future__ import annotations

from bjidp.clock import Clock
from bjidp.errors import AccountRefused, RateLimited, VendorUnavailable
from bjidp.organisations.errors import OrganisationRefused, OrganisationUnknown
from bjidp.organisations.judging import refusal
from bjidp.organisations.organisation import Organisation
from bjidp.organisations.ports import OrganisationStore
from bjidp.organisations.refusing import Refusing
from bjidp.proofing.asking import Answer, Asking
from bjidp.proofing.ports import IdentityStore
from bjidp.vendors.ports.registers import OrganisationFacts


class Confirming:
    """Asks again. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        organisations: OrganisationStore,
        identities: IdentityStore,
        asking: Asking,
        refusing: Refusing,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._organisations = organisations
        self._identities = identities
        self._asking = asking
        self._refusing = refusing
        self._clock = clock

    async def require(self, organisation: Organisation) -> None:
        """Return once the register's word for the organisation counts.

        Raises :class:`OrganisationRefused` for its no, ``VendorUnavailable`` where it has been silent for too long
        or may not be asked again today, and
        :class:`OrganisationUnknown` for an organisation that is not led any more.
        """
        now = self._clock.now()
        if not organisation.asks(now):
            return
        try:
            answer = await self._ask(organisation)
        except AccountRefused:
            # Of the 法定代表人, which is nothing that an agent is told.
            raise OrganisationUnknown from None
        except RateLimited:
            # A budget that its own people use up is no silence of the register: it would carry them past its no.
            raise VendorUnavailable from None
        except VendorUnavailable:
            if organisation.must_be_confirmed(now):
                raise
            return
        found = refusal(answer.finding)
        if found is None:
            await self._organisations.confirm(organisation, answer.begun_at)
            return
        await self._refusing.heard(organisation, found, answer.begun_at)
        raise OrganisationRefused(found)

    async def _ask(self, organisation: Organisation) -> Answer:
        bound = await self._identities.bound(organisation.representative)
        if bound is None or bound.bound_at != organisation.bound_at:
            raise OrganisationUnknown
        led = len(await self._organisations.led(organisation.representative))
        facts = OrganisationFacts(organisation.credit_code, organisation.name, bound.person)
        return await self._asking.organisation(organisation.representative, facts, led=led)
