"""Acting for an organisation without the right to: guessing, replaying, racing, and what is left behind."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import date
from itertools import count
from typing import Final

import pytest

from bjidp.clock import DAY, SystemClock
from bjidp.organisations.mandates import Scope
from bjidp.organisations.ports import NewOffer, NewOrganisation
from bjidp.person import DocumentType, Person
from bjidp.sandbox.business_register.codes import credit_code
from bjidp.sandbox.people.numbers import resident_id
from tests.security.conftest import Own
from tests.support.accounts import member_at, stores_at
from tests.support.browser import Browser
from tests.support.calls import Answer, Caller
from tests.support.forms import form_of, forms, post, send
from tests.support.inbox import code_to

PASSWORD: Final = "Old-wansui-7"
PAGE: Final = "/centre/organisations"
ACTING: Final = "/centre/acting"
ACTS: Final = re.compile("正在代表“([^”]*)”办事")

_TURN = count(1)


class Member:
    """Somebody at L3 at the server under attack, logged in."""

    def __init__(self, home: Own, caller: Caller) -> None:
        self.number = next(_TURN)
        self.home = home
        self.caller = caller
        self.phone = f"1540019{self.number:04d}"
        self.username = f"legal_{self.number:03d}"
        self.account = ""
        self.browser = Browser(caller)
        self.csrf = ""

    async def arrives(self) -> Member:
        """Have an account, and log in to it."""
        person = Person(DocumentType.RESIDENT_ID, "钱示例", resident_id("101099", date(1991, 1, 1), self.number))
        self.account = await member_at(
            self.home.demo.config, username=self.username, phone=self.phone, password=PASSWORD, document=person
        )
        form = form_of(self.browser.keep(await self.browser.get("/login?tab=account")), "/login")
        found = await self.caller.sandbox(f"/control/captcha?id={form.captcha}")
        answer = await send(
            self.browser, form.typed(account=self.username, password=PASSWORD, captcha=str(found["answer"]))
        )
        assert answer.status == 303, answer
        self.csrf = forms(await self.browser.get("/centre"))[0].values["csrf"]
        return self

    async def leads(self) -> str:
        """Lead an organisation; return our own id of it."""
        async with stores_at(self.home.demo.config) as stores:
            bound, now = await stores.identities.bound(self.account), SystemClock().now()
            assert bound is not None
            new = NewOrganisation(
                credit_code=credit_code("91", 9000 + self.number),
                name=f"北京第{self.number}示例公司",
                bound_at=bound.bound_at,
                asked_at=now,
            )
            await stores.organisations.register(self.account, new, now)
            return (await stores.organisations.led(self.account))[-1].id

    async def offers(self, organisation: str, phone: str, days_ago: int = 0) -> str:
        """Offer a mandate, or have offered it so long ago; return its id."""
        async with stores_at(self.home.demo.config) as stores:
            now = SystemClock().now() - days_ago * DAY
            offer = NewOffer(scope=Scope.FILING, phone=phone, ends_at=now + 30 * DAY)
            return await stores.organisations.offer(self.account, organisation, offer, now)

    async def answers(self, mandate: str, act: str) -> Answer:
        """Post what becomes of a mandate."""
        return await post(self.browser, PAGE, {"csrf": self.csrf, "mandate": mandate, "act": act})

    async def chooses(self, key: str) -> Answer:
        """Post the choice of whom to act for."""
        return await post(self.browser, ACTING, {"csrf": self.csrf, "capacity": key})

    async def acts_for(self) -> str | None:
        """Return the name that 个人中心 says one acts for."""
        found = ACTS.search((await self.browser.get("/centre")).text)
        return None if found is None else found[1]

    def alike(self, answer: Answer) -> tuple[int, str]:
        """Return what is told, without what is of this session."""
        return answer.status, answer.text.replace(self.csrf, "")


@pytest.fixture
async def crew(home: Own) -> AsyncIterator[tuple[Member, Member, Member]]:
    """Who leads an organisation, who may act for it, and a stranger."""
    async with Caller(home.at) as caller:
        yield (
            await Member(home, caller).arrives(),
            await Member(home, caller).arrives(),
            await Member(home, caller).arrives(),
        )


Crew = tuple[Member, Member, Member]


@pytest.mark.attack("Q9", "Q22", "R1")
@pytest.mark.req("ORG-2", "ORG-3")
async def test_a_mandate_of_somebody_elses_is_told_from_one_that_is_not_there_by_nothing(crew: Crew) -> None:
    """Open, taken, ended, another's or made up: to a stranger the same bytes, and nothing is changed."""
    leader, agent, stranger = crew
    organisation = await leader.leads()
    taken = await leader.offers(organisation, agent.phone)
    assert (await agent.answers(taken, "accept")).status == 303
    ended = await leader.offers(organisation, "15400199998")
    assert (await leader.answers(ended, "end")).status == 303
    waiting = await leader.offers(organisation, "15400199999")
    named = (taken, ended, waiting, "A" * 22, "", "' OR 1=1 --")
    for act in ("accept", "decline", "end"):
        seen = {stranger.alike(await stranger.answers(mandate, act)) for mandate in named}
        assert [status for status, _ in seen] == [404], act
    keys = [f"m.{mandate}" for mandate in named] + [f"r.{organisation}.0", f"r.{organisation}.", "m.", "r..", ""]
    assert {status for status, _ in [stranger.alike(await stranger.chooses(key)) for key in keys]} == {404}
    assert len({stranger.alike(await stranger.chooses(key)) for key in keys}) == 1
    assert await stranger.acts_for() is None
    assert (await agent.chooses(f"m.{taken}")).status == 303


@pytest.mark.attack("Q5", "Q14")
@pytest.mark.req("ORG-2", "ORG-3")
async def test_an_end_that_races_with_acceptances_and_choices_stays(crew: Crew) -> None:
    """However the posts come in: nobody acts once the end was answered, and what is over is not revived."""
    leader, agent, _ = crew
    organisation = await leader.leads()
    for days_ago in (3, 2, 1):
        mandate = await leader.offers(organisation, agent.phone, days_ago)
        answers = await asyncio.gather(
            *(agent.answers(mandate, "accept") for _ in range(4)),
            leader.answers(mandate, "end"),
            *(agent.chooses(f"m.{mandate}") for _ in range(4)),
        )
        assert {answer.status for answer in answers} <= {303, 404}
        assert sum(answer.status == 303 for answer in answers[:4]) <= 1
        assert answers[4].status == 303
        assert await agent.acts_for() is None
        for act in ("accept", "end"):
            assert (await agent.answers(mandate, act)).status == 404
        assert (await agent.chooses(f"m.{mandate}")).status == 404


@pytest.mark.attack("P7", "Q21")
@pytest.mark.req("ORG-3")
async def test_no_session_acts_on_after_its_right_was_taken(crew: Crew) -> None:
    """Not another browser of the same person either; and a copy of the cookie has no choice of its own."""
    leader, agent, _ = crew
    organisation = await leader.leads()
    mandate = await leader.offers(organisation, agent.phone)
    assert (await agent.answers(mandate, "accept")).status == 303
    assert (await agent.chooses(f"m.{mandate}")).status == 303
    copy = agent.browser.copy()
    assert ACTS.search((await copy.get("/centre")).text) is not None
    assert (await leader.answers(mandate, "end")).status == 303
    for browser in (copy, agent.browser):
        assert ACTS.search((await browser.get("/centre")).text) is None


@pytest.mark.attack("R4", "Q24")
@pytest.mark.req("ORG-2", "ACC-8", "PRV-1")
async def test_an_offer_leaves_its_number_neither_in_the_log_nor_in_the_database(home: Own, crew: Crew) -> None:
    leader, _, _ = crew
    organisation, to = await leader.leads(), "15400198765"
    offer = {"organisation": organisation, "phone": to, "scope": "all", "ends_on": "2027-12-31"}
    refused = await post(leader.browser, "/centre/appoint", {"csrf": leader.csrf} | offer)
    assert refused.status == 303, "验证身份 comes first"
    form = form_of(await leader.browser.get("/centre/appoint"), "/centre/appoint/identity")
    found = await leader.caller.sandbox(f"/control/captcha?id={form.captcha}")
    sent = await send(leader.browser, form.typed(captcha=str(found["answer"])), "code")
    page = await leader.browser.get(sent.header("Location") or "")
    form = form_of(page, "/centre/appoint/identity")
    proved = await send(leader.browser, form.typed(code=await code_to(leader.caller.sandbox, leader.phone)))
    page = await leader.browser.get(proved.header("Location") or "")
    done = await send(leader.browser, form_of(page, "/centre/appoint").typed(**offer))
    assert done.status == 303, done
    # Once for each proof: the very same form does nothing more.
    await send(leader.browser, form_of(page, "/centre/appoint").typed(**offer))
    async with stores_at(home.demo.config) as stores:
        [made] = await stores.organisations.appointed(leader.account, SystemClock().now())
        assert made.mandate.phone == to
    log = home.demo.process.log.read_bytes()
    kept = b"".join(path.read_bytes() for path in sorted(home.demo.data.glob("bjidp.sqlite*")))
    assert organisation.encode() in kept
    for place, octets in (("log", log), ("database", kept)):
        for form_ in (to.encode(), json.dumps(to)[1:-1].encode(), to.encode("utf-16-le")):
            assert form_ not in octets, place
