"""Two who lead, appoint, take or end at the same moment: every time it is as if one had come after the other.

Each of the two is a process of its own, so it is the database that decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeAlias

import pytest

from bjidp.accounts.ports import Evidence
from bjidp.clock import DAY
from bjidp.entropy import SystemEntropy
from bjidp.errors import AccountRefused
from bjidp.organisations.errors import OrganisationHeld, OrganisationUnknown
from bjidp.organisations.mandates import Scope
from bjidp.organisations.organisation import Role
from bjidp.organisations.ports import IdentityLacking, NewOffer, NewOrganisation
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import NewIdentity
from bjidp.storage.sql.catalog import SqlStores, open_sql
from tests.contracts.house import House, keyring
from tests.support.identities import prove

TURNS: Final = 8


class Turn:
    """A leader, an agent and somebody who is to lead, new each time, with an organisation that has offered a mandate.

    What one of them does goes to the first process, what another does to the second.
    """

    def __init__(self, house: House, processes: tuple[SqlStores, SqlStores], number: int) -> None:
        self.house = house
        self.here, self.there = processes
        self.number = number
        self.code = f"9100{number:014}"
        self.accounts: list[str] = []
        self.organisation = ""
        self.mandate = ""

    @property
    def leader(self) -> str:
        """Who leads the organisation."""
        return self.accounts[0]

    @property
    def agent(self) -> str:
        """Whom the mandate is offered to."""
        return self.accounts[1]

    @property
    def successor(self) -> str:
        """Whom the register names from now on."""
        return self.accounts[2]

    async def begins(self, *, taken: bool) -> None:
        """Set everything up; with ``taken`` the mandate is accepted."""
        for place in range(3):
            which = 3 * self.number + place
            account = (await self.house.member(f"13{which:09}", f"person_{which}")).account
            new = NewIdentity(
                person=Person(DocumentType.RESIDENT_ID, "张三", f"{which:018}"),
                evidence=Evidence.FACE,
                evidence_reference="E1",
                authority_reference="A1",
            )
            await prove(self.here.identities, account, new, self.house.now)
            self.accounts.append(account)
        await self.registers(self.here, self.leader)
        [led] = await self.here.organisations.led(self.leader)
        self.organisation = led.id
        self.mandate = await self.offers(self.here, 3 * self.number + 1)
        if taken:
            await self.here.organisations.accept(self.agent, self.mandate, self.house.now)

    async def registers(self, stores: SqlStores, account: str, later: int = 0) -> None:
        """Lead the organisation, confirmed so much ``later``."""
        bound = await stores.identities.bound(account)
        assert bound is not None
        new = NewOrganisation(
            credit_code=self.code, name="北京示例公司", bound_at=bound.bound_at, asked_at=self.house.now + later
        )
        await stores.organisations.register(account, new, self.house.now)

    async def offers(self, stores: SqlStores, which: int) -> str:
        """Offer a mandate for the organisation."""
        new = NewOffer(scope=Scope.ALL, phone=f"13{which:09}", ends_at=self.house.now + DAY)
        return await stores.organisations.offer(self.leader, self.organisation, new, self.house.now)

    async def roles(self) -> list[list[Role]]:
        """Return in what each of the three may act."""
        return [
            [capacity.role for capacity in await self.here.organisations.capacities(account)]
            for account in self.accounts
        ]


Steps: TypeAlias = Callable[[Turn], list[Awaitable[object]]]

NOBODY: Final[list[list[Role]]] = [[], [], []]
SUCCESSOR: Final = [[], [], [Role.REPRESENTATIVE]]
LEADER: Final = [[Role.REPRESENTATIVE], [], []]


def taken_over_while_taken(turn: Turn) -> list[Awaitable[object]]:
    """The register names another, and the agent accepts."""
    return [
        turn.registers(turn.here, turn.successor, 1),
        turn.there.organisations.accept(turn.agent, turn.mandate, turn.house.now),
    ]


def taken_over_while_offering(turn: Turn) -> list[Awaitable[object]]:
    """The register names another, and the leader appoints one more."""
    return [turn.registers(turn.here, turn.successor, 1), turn.offers(turn.there, 3 * turn.number + 2)]


def taken_over_while_the_agent_goes(turn: Turn) -> list[Awaitable[object]]:
    """The register names another, and the agent's account ends."""
    return [
        turn.registers(turn.here, turn.successor, 1),
        turn.there.members.cancel(turn.agent, turn.house.now),
    ]


def taken_over_while_the_leader_goes(turn: Turn) -> list[Awaitable[object]]:
    """The register names another, and the leader's account ends."""
    return [
        turn.registers(turn.here, turn.successor, 1),
        turn.there.members.cancel(turn.leader, turn.house.now),
    ]


def taken_while_the_leader_goes(turn: Turn) -> list[Awaitable[object]]:
    """The agent accepts, and the leader's account ends."""
    return [
        turn.here.organisations.accept(turn.agent, turn.mandate, turn.house.now),
        turn.there.members.cancel(turn.leader, turn.house.now),
    ]


def taken_while_the_agent_is_nobody(turn: Turn) -> list[Awaitable[object]]:
    """The agent accepts, and gives the identity up."""
    return [
        turn.here.organisations.accept(turn.agent, turn.mandate, turn.house.now),
        turn.there.identities.unbind(turn.agent, turn.house.now),
    ]


def ended_by_both(turn: Turn) -> list[Awaitable[object]]:
    """Both sides end it."""
    return [
        turn.here.organisations.end(turn.leader, turn.mandate, turn.house.now),
        turn.there.organisations.end(turn.agent, turn.mandate, turn.house.now),
    ]


def both_go(turn: Turn) -> list[Awaitable[object]]:
    """Both accounts end."""
    return [
        turn.here.members.cancel(turn.leader, turn.house.now),
        turn.there.members.cancel(turn.agent, turn.house.now),
    ]


@pytest.fixture
async def processes(house: House) -> AsyncIterator[tuple[SqlStores, SqlStores]]:
    """Two processes on one database."""
    elsewhere = open_sql(house.url, keyring(), SystemEntropy(), house.clock)
    yield house.sql, elsewhere
    await elsewhere.close()


@pytest.mark.req("ORG-1", "ORG-2", "ORG-3", "ACC-7")
@pytest.mark.parametrize(
    ("steps", "taken", "left"),
    [
        (taken_over_while_taken, False, SUCCESSOR),
        (taken_over_while_offering, True, SUCCESSOR),
        (taken_over_while_the_agent_goes, True, SUCCESSOR),
        (taken_over_while_the_leader_goes, True, SUCCESSOR),
        (taken_while_the_leader_goes, False, NOBODY),
        (taken_while_the_agent_is_nobody, False, LEADER),
        (ended_by_both, True, LEADER),
        (both_go, True, NOBODY),
    ],
)
async def test_whatever_comes_at_the_same_moment_leaves_what_one_after_the_other_would(
    house: House, processes: tuple[SqlStores, SqlStores], steps: Steps, left: list[list[Role]], *, taken: bool
) -> None:
    for number in range(TURNS):
        turn = Turn(house, processes, number)
        await turn.begins(taken=taken)
        results = await asyncio.gather(*steps(turn), return_exceptions=True)
        refused = {type(result) for result in results if isinstance(result, BaseException)}
        assert refused <= {OrganisationUnknown, IdentityLacking, AccountRefused}, results
        assert len([result for result in results if isinstance(result, BaseException)]) < len(results), results
        assert await turn.roles() == left, (number, results)
        live = house.rows(
            "SELECT count(*) FROM mandate WHERE organisation = :organisation AND ended_at IS NULL AND agent = :agent",
            organisation=turn.organisation,
            agent=turn.agent,
        )
        assert live == [(0,)]
    ends = [kind for kind, _, _ in house.audit()].count("mandate.ended")
    assert ends == TURNS or steps is not ended_by_both


@pytest.mark.req("ORG-1")
async def test_of_two_whom_the_register_has_confirmed_at_the_same_moment_one_leads_every_time(
    house: House, processes: tuple[SqlStores, SqlStores]
) -> None:
    for number in range(TURNS):
        turn = Turn(house, processes, number)
        await turn.begins(taken=False)
        await house.members.cancel(turn.leader, house.now)
        results = await asyncio.gather(
            turn.registers(turn.here, turn.agent), turn.registers(turn.there, turn.successor), return_exceptions=True
        )
        assert [type(result) for result in results if result is not None] == [OrganisationHeld]
        assert sorted(len(roles) for roles in await turn.roles()) == [0, 0, 1]
    assert house.count("organisation") == TURNS
