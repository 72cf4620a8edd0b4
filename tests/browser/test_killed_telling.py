"""Servers that are killed between the decision of an appeal and what has to follow it: nobody is left untold (RNV-8).

Staff decide at a command line, beside the server or without one. One death is for both: of one decision the server is
just telling, and while it lies dead others are made.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import NullPool, create_engine, text

from bjidp.accounts.ports import Evidence
from bjidp.appeals.appeal import ROOM, State, Verdict
from bjidp.appeals.attachments import Kind, Picture
from bjidp.appeals.ports import Decision, NewAppeal
from bjidp.clock import SystemClock
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import NewIdentity
from bjidp.storage.sql.catalog import SqlStores
from tests.browser.test_killed_asking import faults
from tests.support.accounts import member, stores_at
from tests.support.browser import Browser
from tests.support.calls import Caller, Deployment, until
from tests.support.demo import Demo
from tests.support.files import jpeg
from tests.support.fragile import fragile
from tests.support.identities import prove
from tests.support.inbox import arrived, messages
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.visitors import PASSWORD, by_password, number, username

GRANTED: Final = "人工申诉已通过"
REFUSED: Final = "人工申诉未通过"
LOST: Final = "用于另一个账号"


class Party:
    """An account with somebody logged in to it."""

    def __init__(self, caller: Caller, stores: SqlStores) -> None:
        self.stores = stores
        self.browser = Browser(caller)
        self.name, self.phone = username(), number()
        self.account = ""

    async def arrives(self) -> Party:
        """Have an account."""
        now = SystemClock().now()
        self.account = await member(self.stores, now, username=self.name, phone=self.phone, password=PASSWORD)
        return self

    async def holds(self, person: Person) -> None:
        """Have proved to be somebody, and be logged in."""
        await prove(self.stores.identities, self.account, proof(person), SystemClock().now())
        assert (await by_password(self.browser, self.name, PASSWORD)).status == 303
        assert await self.is_in()

    async def is_in(self) -> bool:
        """Tell whether the session opens the account's pages."""
        return (await self.browser.get("/centre")).status == 200

    async def is_told(self, words: str) -> None:
        """Return once a message has said so; there is at least one, as one that was under way may come twice."""
        await arrived(self.browser.caller.sandbox, self.phone, words=words)


def proof(person: Person) -> NewIdentity:
    """Return somebody whose face has passed."""
    return NewIdentity(person=person, evidence=Evidence.FACE, evidence_reference="E-1", authority_reference="A-1")


async def filed(claimant: Party, person: Person) -> str:
    """Return an appeal that waits, for an identity that another account has."""
    photo = Picture(file=1, name="a.jpg", kind=Kind.JPEG, data=jpeg())
    reason = "证件遗失后被冒名注册。"
    new = NewAppeal(
        account=claimant.account, new=proof(person), exchange=False, reason=reason, contact="", pictures=(photo,)
    )
    return await claimant.stores.appeals.file(new, SystemClock().now(), room=ROOM)


async def decide(stores: SqlStores, appeal: str, verdict: Verdict) -> None:
    """Do what the command of staff does."""
    now = SystemClock().now()
    facts = (await stores.appeals.review(appeal, "wang", now)).facts
    await stores.appeals.decide(
        Decision(appeal=appeal, verdict=verdict, facts=facts, staff="wang", explanation="材料与本人相符"), now
    )


def ten_minutes_later(url: str) -> None:
    """Have what a server took on and has not told be due again."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("UPDATE appeal SET tell_at = decided_at WHERE tell_at IS NOT NULL"))


@pytest.mark.req("RNV-8", "OPS-4")
@pytest.mark.parametrize("kept_in", ["sqlite", "postgresql"])
async def test_a_decision_is_followed_up_whenever_the_server_dies(
    demo: Demo, tmp_path: Path, postgres_server: PostgresServer, redis_server: RedisServer, kept_in: str
) -> None:
    with postgres_server.database() as database:
        url = database if kept_in == "postgresql" else f"sqlite:///{tmp_path / 'bjidp.sqlite'}"
        with fragile(demo, tmp_path, {"database_url": url, "redis_url": redis_server.fresh_url()}) as place:
            at = Deployment(place.server, place.sandbox, place.server)
            async with Caller(at) as caller, stores_at(place.config) as stores:
                parties = [await Party(caller, stores).arrives() for _ in range(5)]
                winner, loser, late_winner, late_loser, refused = parties
                one, two = (Person(DocumentType.HK_PERMIT, "陈某", f"H7654321{digit}") for digit in "12")
                await loser.holds(one)
                await late_loser.holds(two)
                first, second = await filed(winner, one), await filed(late_winner, two)
                third = await filed(refused, two)
                await faults(caller, "slow", "chuanglan")
                try:
                    await decide(stores, first, Verdict.GRANT)

                    async def is_telling() -> bool:
                        return int((await caller.sandbox("/health"))["held"]) == 1

                    await until(is_telling)
                    await asyncio.to_thread(place.kill)
                finally:
                    await faults(caller, "ok", "chuanglan")
                await decide(stores, second, Verdict.GRANT)
                await decide(stores, third, Verdict.REFUSE)
                assert await messages(caller.sandbox, winner.phone) == []
                ten_minutes_later(url)
                await asyncio.to_thread(place.restart)

                for party, words in ((loser, LOST), (winner, GRANTED), (late_loser, LOST), (late_winner, GRANTED)):
                    await party.is_told(words)
                await refused.is_told(REFUSED)
                for party in (loser, late_loser):
                    assert not await party.is_in()
                for party, state in ((winner, State.GRANTED), (late_winner, State.GRANTED), (refused, State.REFUSED)):
                    assert await stores.appeals.state(party.account) is state
                for party in (winner, late_winner, late_loser, refused):
                    assert len(await messages(caller.sandbox, party.phone)) == 1
