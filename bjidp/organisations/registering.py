"""登记法人: who the business register says leads an organisation, leads it here (ORG-1).

Owns the order: the form, 验证身份, the level, the register, the write. Called by ``web``. The register's answer is
written down before anything is decided on it (:mod:`bjidp.proofing.asking`), so that a process which dies before the
write leaves a form that can be sent again, which asks and charges nothing. An outage is told as one, and nothing of an
organisation is made by then.
"""

from __future__ import annotations

from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.telling import Teller
from bjidp.accounts.verifying import Visit
from bjidp.clock import Clock
from bjidp.organisations.errors import LevelRequired, OrganisationRefused
from bjidp.organisations.judging import refusal
from bjidp.organisations.ports import IdentityLacking, NewOrganisation, OrganisationStore
from bjidp.organisations.proved import Proved
from bjidp.organisations.refusing import Refusing, tell
from bjidp.organisations.stated import TypedOrganisation, read_organisation
from bjidp.proofing.asking import Asking
from bjidp.proofing.ranges import OrganisationRange
from bjidp.vendors.ports.registers import OrganisationFacts
from bjidp.verification.proofs import Operation


class Registering:
    """Registers organisations. A store that is down raises ``StoreUnavailable``, the register ``VendorUnavailable``."""

    def __init__(
        self,
        *,
        changes: Changes,
        proved: Proved,
        organisations: OrganisationStore,
        asking: Asking,
        served: OrganisationRange,
        refusing: Refusing,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them. ``served`` says which organisations are."""
        self._changes = changes
        self._proved = proved
        self._organisations = organisations
        self._asking = asking
        self._served = served
        self._refusing = refusing
        self._teller = teller
        self._clock = clock

    async def register(self, visit: Visit, flow: str | None, typed: TypedOrganisation) -> str:
        """Let the account lead the organisation that was stated; return the change's id.

        Raises ``InvalidRequest``, :class:`LevelRequired`, :class:`OrganisationRefused`,
        :class:`bjidp.organisations.errors.OrganisationHeld`, ``RateLimited``, ``AccountRefused`` and
        :class:`bjidp.accounts.settings.changes.NotDue`.
        """
        stated = read_organisation(typed, self._served)
        draft = await self._changes.due(visit, Operation.ORGANISATION, flow)
        bound = await self._proved.identity(visit.account)
        facts = OrganisationFacts(stated.credit_code, stated.name, bound.person)
        led = await self._organisations.led(visit.account)
        answer = await self._asking.organisation(visit.account, facts, led=len(led))
        found = refusal(answer.finding)
        if found is not None:
            for known in led:
                # Of another name the register has said nothing that counts for the one that is led.
                if (known.credit_code, known.name) == (stated.credit_code, stated.name):
                    await self._refusing.heard(known, found, answer.begun_at)
            raise OrganisationRefused(found)
        new = NewOrganisation(
            credit_code=stated.credit_code, name=stated.name, bound_at=bound.bound_at, asked_at=answer.begun_at
        )
        await self._changes.save(visit, draft, lambda: self._write(visit.account, new))
        return draft.id

    async def _write(self, account: str, new: NewOrganisation) -> None:
        try:
            aftermath = await self._organisations.register(account, new, self._clock.now())
        except IdentityLacking:
            raise LevelRequired from None
        tell(self._teller, aftermath)
