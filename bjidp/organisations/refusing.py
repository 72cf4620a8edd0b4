"""What becomes of an organisation that is led when the business register says no about it (ORG-1).

Owns that no such answer is dropped: it ends the leading, or is kept and stops everybody until the register says yes, in
sessions that act already too. Called by whoever has asked: before somebody acts, and when it is registered again.
"""

from __future__ import annotations

from bjidp.accounts.telling import Teller, Told
from bjidp.clock import Clock, Instant
from bjidp.organisations.errors import Refusal
from bjidp.organisations.judging import ENDS_IT
from bjidp.organisations.organisation import Loss, Organisation
from bjidp.organisations.ports import Aftermath, OrganisationStore
from bjidp.verification.number import MobileNumber


class Refusing:
    """Does what follows. A store that is down raises ``StoreUnavailable``."""

    def __init__(self, *, organisations: OrganisationStore, teller: Teller, clock: Clock) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._organisations = organisations
        self._teller = teller
        self._clock = clock

    async def heard(self, organisation: Organisation, found: Refusal, asked_at: Instant) -> None:
        """Let the register's no count, which answers a question about this very organisation that was begun then."""
        if found in ENDS_IT:
            aftermath = await self._organisations.lose(organisation, Loss.REFUSED, asked_at, self._clock.now())
            tell(self._teller, aftermath)
        else:
            await self._organisations.refuse(organisation, asked_at)


def tell(teller: Teller, aftermath: Aftermath) -> None:
    """Tell by SMS whoever leads, or acts for, an organisation no more."""
    if aftermath.representative is not None:
        teller.tell(MobileNumber(aftermath.representative), Told.ORGANISATION_LOST)
    for agent in aftermath.agents:
        teller.tell(MobileNumber(agent), Told.MANDATE_ENDED)
