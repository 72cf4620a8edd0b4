"""解除登记: a 法定代表人 gives up an organisation here, which changes nothing at the register (ORG-1).

Owns what is shown before it, and that everybody who acts by it is told. Called by ``web``. 验证身份 does not come
first: it takes powers away, and gives none (ADR 0019). Whoever leads is told by SMS too, in case it was not them.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts.telling import Teller
from bjidp.accounts.verifying import Visit
from bjidp.clock import Clock
from bjidp.organisations.errors import OrganisationUnknown
from bjidp.organisations.mandates import State
from bjidp.organisations.organisation import Organisation
from bjidp.organisations.ports import OrganisationStore
from bjidp.organisations.refusing import tell


class Stake(Struct, frozen=True):
    """What goes with an organisation: how many act for it, and how many offers wait for an answer."""

    organisation: Organisation
    agents: int
    offers: int


class GivingUp:
    """Gives organisations up. A store that is down raises ``StoreUnavailable``."""

    def __init__(self, *, organisations: OrganisationStore, teller: Teller, clock: Clock) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._organisations = organisations
        self._teller = teller
        self._clock = clock

    async def stake(self, visit: Visit, organisation: str) -> Stake:
        """Return what would go; raise :class:`OrganisationUnknown` unless the account leads it."""
        found = [one for one in await self._organisations.led(visit.account) if one.id == organisation]
        if not found:
            raise OrganisationUnknown
        now = self._clock.now()
        states = [
            one.mandate.state(now)
            for one in await self._organisations.appointed(visit.account, now)
            if one.mandate.organisation == organisation
        ]
        return Stake(found[0], states.count(State.ACCEPTED), states.count(State.OFFERED))

    async def give_up(self, visit: Visit, organisation: str) -> None:
        """Lead it no more; raise :class:`OrganisationUnknown` and ``AccountRefused``."""
        tell(self._teller, await self._organisations.give_up(visit.account, organisation, self._clock.now()))
