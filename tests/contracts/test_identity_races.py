"""Two who prove one identity at the same moment: one of them holds it, a hundred times of a hundred (RNV-7, REG-8).

Each of the two is a process of its own, so it is the database that decides, whatever they prove it by.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeAlias

import pytest

from bjidp.accounts.ports import Evidence, IdentityTaken, Linked
from bjidp.entropy import SystemEntropy
from bjidp.errors import RateLimited
from bjidp.proofing.ports import Held, IdentityChanged, NewIdentity, Settled
from bjidp.storage.sql.catalog import SqlStores, open_sql
from tests.contracts.house import ZHANG, House, applicant, identity, keyring

NAME, BANK, FACE = Evidence.NAME_AND_NUMBER, Evidence.BANK_CARD, Evidence.FACE
TURNS: Final = 100

Outcome: TypeAlias = Settled | Held | Linked


class Race:
    """Two accounts of pages, each at its own process, and a third one that may hold the identity before they come."""

    def __init__(self, house: House, processes: tuple[SqlStores, SqlStores], accounts: list[str]) -> None:
        self.house = house
        self.processes = processes
        self.accounts = accounts
        self.phones = 0

    async def proves(self, runner: int, evidence: Evidence, was: str | None = None) -> Outcome:
        """Let an account of pages prove the identity; ``was`` is the mark of the one that it has to have for it."""
        stores = self.processes[runner % 2]
        return await stores.identities.prove(self.accounts[runner], proof(evidence), self.house.now, was=was)

    async def registers(self, runner: int) -> Outcome:
        """Let somebody whose face has passed be registered by a phone that is new here."""
        self.phones += 1
        new = applicant(user=identity(f"o{self.phones}"))
        return await self.processes[runner].accounts.register(new, self.house.now)

    async def claims(self, runner: int) -> Outcome:
        """Let somebody whose face has passed say, at such a phone, that the third account is not theirs."""
        self.phones += 1
        new = applicant(user=identity(f"o{self.phones}"))
        return await self.processes[runner].accounts.take_over(self.accounts[2], new, self.house.now)

    async def held(self, runner: int, evidence: Evidence) -> str:
        """Let an account hold the identity before; return its mark."""
        await self.proves(runner, evidence)
        bound = await self.processes[0].identities.bound(self.accounts[runner])
        assert bound is not None
        return bound.mark


async def documents(race: Race) -> list[Awaitable[Outcome]]:
    """Both state the name and the number."""
    return [race.proves(0, NAME), race.proves(1, NAME)]


async def cards(race: Race) -> list[Awaitable[Outcome]]:
    """Both have a card."""
    return [race.proves(0, BANK), race.proves(1, BANK)]


async def cards_of_another(race: Race) -> list[Awaitable[Outcome]]:
    """Both have a card, and a third one has the identity by its name and number."""
    await race.held(2, NAME)
    return [race.proves(0, BANK), race.proves(1, BANK)]


async def own_face(race: Race) -> list[Awaitable[Outcome]]:
    """One has the identity and has shown their face for a page; another one has a card."""
    mark = await race.held(0, NAME)
    return [race.proves(0, FACE, mark), race.proves(1, BANK)]


async def faces(race: Race) -> list[Awaitable[Outcome]]:
    """Both are registered by a phone."""
    return [race.registers(0), race.registers(1)]


async def face_and_document(race: Race) -> list[Awaitable[Outcome]]:
    """One is registered by a phone, another one states the name and the number."""
    return [race.registers(0), race.proves(1, NAME)]


async def claims(race: Race) -> list[Awaitable[Outcome]]:
    """Both claim the identity of a third account by their phones."""
    await race.held(2, NAME)
    return [race.claims(0), race.claims(1)]


async def claim_and_card(race: Race) -> list[Awaitable[Outcome]]:
    """One claims it by a phone, another one has a card."""
    await race.held(2, NAME)
    return [race.claims(0), race.proves(1, BANK)]


def proof(evidence: Evidence) -> NewIdentity:
    """Return the person who is proved."""
    return NewIdentity(person=ZHANG, evidence=evidence, evidence_reference="E-1", authority_reference="A-77")


def account_of(won: Settled | Linked) -> str:
    """Return whose the identity has become."""
    return (won.standing if isinstance(won, Settled) else won[1]).account


@pytest.fixture
async def race(house: House) -> AsyncIterator[Race]:
    """Two processes on one database, and three accounts."""
    elsewhere = open_sql(house.url, keyring(), SystemEntropy(), house.clock)
    members = [await house.member(f"1380013800{number}", f"zhangsan{number}") for number in range(3)]
    yield Race(house, (house.sql, elsewhere), [member.account for member in members])
    await elsewhere.close()


@pytest.mark.req("RNV-7", "REG-8")
@pytest.mark.parametrize(
    "begin", [documents, cards, cards_of_another, own_face, faces, face_and_document, claims, claim_and_card]
)
async def test_of_two_who_prove_one_identity_at_the_same_moment_one_holds_it_every_time(
    race: Race, begin: Callable[[Race], Awaitable[list[Awaitable[Outcome]]]]
) -> None:
    identities, accounts = race.house.sql.identities, race.house.accounts
    for _ in range(TURNS):
        results = await asyncio.gather(*await begin(race), return_exceptions=True)
        # Both, where the first one's proof could be outdone by the second one's.
        won = [result for result in results if not isinstance(result, BaseException | Held)]
        lost = [result for result in results if isinstance(result, BaseException)]
        assert {type(error) for error in lost} <= {IdentityTaken, IdentityChanged, RateLimited}, lost
        holder = await accounts.holder_of(ZHANG)
        assert holder is not None
        assert holder.account in {account_of(each) for each in won}
        for account in {*race.accounts, *map(account_of, won)}:
            bound = await identities.bound(account)
            assert (bound is not None) == (account == holder.account)
        await identities.unbind(holder.account, race.house.now)
    counts = race.house.counts()
    assert counts["identity"] == 0
    # A name and a number of each, a name of those who came by phone, and no document of anybody.
    assert counts["identifier"] == counts["account"] + len(race.accounts)
