"""Whom people may act for, as a test says it: in the place of organisations and their register."""

from __future__ import annotations

from bjidp.accounts.ports import Evidence
from bjidp.organisations.mandates import Scope
from bjidp.organisations.organisation import Capacity, Organisation, Role, Worth
from bjidp.proofing.terms import UNSTATED
from bjidp.sessions.ports import Session

_WORTH = Worth(Evidence.FACE, UNSTATED)


def capacity(mandate: str = "m1") -> Capacity:
    """Return what an agent acts in."""
    led = Organisation(
        id="o",
        credit_code="91000000MA990001X0",
        name="北京示例公司",
        representative="somebody",
        bound_at=1,
        led_at=2,
        confirmed_at=3,
    )
    return Capacity(
        role=Role.AGENT,
        organisation=led,
        scope=Scope.FILING,
        until=None,
        mandate=mandate,
        own=_WORTH,
        leader=_WORTH,
    )


class Capacities:
    """The port :class:`bjidp.organisations.ports.ActingFor`: everybody acts in what is on the list, and nobody else."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.counts: list[Capacity] = []

    async def current(self, session: Session) -> Capacity | None:
        """See the port."""
        return None

    async def open_to(self, account: str) -> list[Capacity]:
        """See the port."""
        return list(self.counts)

    async def counting(self, account: str, key: str) -> Capacity | None:
        """See the port."""
        return next((one for one in self.counts if one.key == key), None)
