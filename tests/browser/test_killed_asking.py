"""Servers that are killed while a vendor is answering them: a retry completes, and nobody is charged a second time.

The sandbox does what it is asked, charges for it and keeps its answer back; then the server dies. One death is for
everybody at once: questions to the authority and the bank, a code to a reserved number, and verdicts of faces, for a
page and for registrations, are under way in that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from playwright.async_api import Error, Page, expect

from bjidp.accounts.ports import Evidence
from bjidp.clock import SystemClock
from bjidp.person import DocumentType
from bjidp.person import Person as Identity
from tests.browser.conftest import ComputerFactory
from tests.support.accounts import stores_at
from tests.support.calls import Answer, Caller, Deployment, until
from tests.support.demo import Demo
from tests.support.forms import WebForm, heading
from tests.support.fragile import Fragile, fragile
from tests.support.journeys import PROVE, SAVE, SEND, Stores
from tests.support.phone import (
    Person,
    log_in,
    people,
)
from tests.support.postgres import PostgresServer
from tests.support.proving import ABLE, Faces, Proves, ProvesCard, ProvesName, ShowsAFace
from tests.support.redis import RedisServer

REGISTERS: Final = ("authority", "bank")
ASKED: Final = ("authority", "bank", "wechat", "chuanglan")
LONG: Final = 60
"""Seconds for which an answer is kept back, unless whoever asked has gone."""


class AtAPage(ProvesName):
    """Somebody at 实名认证 in Chromium."""

    async def opens(self, page: Page) -> None:
        """Go on in a real browser, and fill the form in."""
        await self.begins()
        await through(self, PROVE)
        at = self.caller.to.url
        await page.context.add_cookies(
            [{"name": name, "value": value, "url": at} for name, value in self.browser.cookies.items()]
        )
        form, _ = await self.form(SAVE)
        await page.goto(f"/centre/real_name?flow={self.flow}")
        for name in ("name", "document_number", "valid_from", "valid_to"):
            await page.locator(f"#f-{name}").fill(form.values[name])


class Everybody:
    """Who is at something when the server dies."""

    def __init__(self, place: Fragile, caller: Caller, stores: Stores, residents: list[Person]) -> None:
        now = SystemClock().now
        self.place = place
        self.caller = caller
        self.stores = stores
        self.named = ProvesName(caller, stores, now)
        self.carded = ProvesCard(caller, stores, now)
        self.coded = ProvesCard(caller, stores, now)
        self.at_a_page = AtAPage(caller, stores, now)
        self.proving: tuple[Proves, ...] = (self.named, self.carded, self.coded, self.at_a_page)
        self.faced = Faces(caller, residents[-1])
        self.known = Faces(caller, residents[-2])
        self.third = residents[-3]
        self.forms: dict[Proves, tuple[WebForm, str]] = {}

    async def begin(self, page: Page) -> ShowsAFace:
        """Come as far as what a vendor is asked last; whoever it asks before has answered."""
        for somebody in (self.named, self.carded, self.coded):
            await somebody.begins()
            await through(somebody, PROVE)
        await self.at_a_page.opens(page)
        await through(self.carded, SEND)
        self.forms = {somebody: await somebody.form(SAVE) for somebody in (self.named, self.carded)}
        shows = ShowsAFace(self.caller, await log_in(self.caller, "wechat", self.third))
        for phone in (shows, self.faced, self.known):
            await phone.begins()
        await faults(self.caller, "refuse", "authority")
        assert (await self.known.asks()).status == 503, "the face has passed, and the authority is away"
        await faults(self.caller, "ok", "authority")
        await faults(self.caller, "refuse", "bank")
        assert (await self.carded.posts(*self.forms[self.carded])).status == 503, "the authority has answered"
        return shows

    async def ask_and_lose_the_server(self, shows: ShowsAFace, page: Page) -> None:
        """Kill the server once everybody has asked and nobody was answered; have it back."""
        await faults(self.caller, "slow", *ASKED)
        asking: list[Awaitable[Answer]] = [phone.asks() for phone in (self.faced, self.known, shows)]
        asking += [somebody.posts(*form) for somebody, form in self.forms.items()]
        posts: list[asyncio.Future[object]] = [asyncio.ensure_future(ask) for ask in asking]
        posts.append(asyncio.ensure_future(presses(page)))
        assert (await self.coded.goes(SEND)).status == 303, "it is handed to its provider in the background"

        async def all_asked() -> bool:
            return int((await self.caller.sandbox("/health"))["held"]) == len(posts) + 1

        await until(all_asked)
        await asyncio.to_thread(self.place.kill)
        for ended in await asyncio.gather(*posts, return_exceptions=True):
            assert isinstance(ended, aiohttp.ClientError | Error), ended
        await faults(self.caller, "ok", *ASKED)
        await asyncio.to_thread(self.place.restart)

    async def is_not_paid_for_twice(self, page: Page) -> None:
        """Lose the server, do the very same once more, and be done."""
        before = await paid(self.caller)
        shows = await self.begin(page)
        await self.ask_and_lose_the_server(shows, page)
        for somebody, form in self.forms.items():
            assert heading(await somebody.follows(await somebody.posts(*form))).endswith("认证成功")
        await page.reload()
        await expect(page.get_by_role("heading", name="认证成功", exact=True)).to_be_visible()
        # The code that was on its way has arrived, and is good.
        assert heading(await self.coded.follows(await self.coded.goes(SAVE))) == "银行卡认证成功"
        assert await self.coded.codes() == 1
        # Nobody is before a camera again.
        for phone in (self.faced, self.known):
            answer = await phone.asks()
            assert (answer.status, answer.json()["status"]) == (200, "ok")
        await shows.ends(await shows.asks())
        for proved in self.proving:
            assert await proved.is_done()
            assert await proved.times() == 1
        assert await self.proofs_of(self.third) == (Evidence.FACE, 2), "of the registration, and of the page"
        after = await paid(self.caller)
        # On pages four, two of them with a card; by phone three.
        assert {register: after[register] - before[register] for register in REGISTERS} == {"authority": 7, "bank": 2}

    async def proofs_of(self, person: Person) -> tuple[Evidence, int]:
        """Return what somebody's identity counts as proved by, and how often it was proved."""
        known = Identity(DocumentType(person.document_type), person.name, person.document_number)
        holder = await self.stores.accounts.holder_of(known)
        assert holder is not None
        bound = await self.stores.identities.bound(holder.account)
        assert bound is not None
        return bound.evidence, bound.version


async def presses(page: Page) -> None:
    """Press the button of the form, and wait for what comes."""
    async with page.expect_navigation():
        await page.get_by_role("button", name="认证", exact=True).click(no_wait_after=True)


async def through(somebody: Proves, last: str) -> None:
    """Take every step that is due, up to ``last``."""
    for step in somebody.steps[await somebody.due() : somebody.steps.index(last) + 1]:
        answer = await somebody.goes(step)
        assert answer.status in {200, 303}, (step, answer.text)


async def faults(caller: Caller, mode: str, *services: str) -> None:
    """Let services misbehave, or mend them."""
    for service in services:
        body = {"service": service, "mode": mode} | ({"seconds": LONG} if mode == "slow" else {})
        await caller.sandbox("/control/faults", body)


async def paid(caller: Caller) -> dict[str, int]:
    """Return how many answers each register has been paid for."""
    return {register: len(await caller.sandbox(f"/control/charges?service={register}")) for register in REGISTERS}


async def residents(caller: Caller) -> list[Person]:
    """Return people with the document that every platform knows; those at the end are at no page."""
    return [one for one in await people(caller) if one.story in ABLE and one.document_type == "resident_id"]


@pytest.mark.req("RNV-2", "RNV-3", "RNV-4", "REG-7", "OPS-4")
@pytest.mark.parametrize("kept_in", ["sqlite", "postgresql"])
async def test_what_a_vendor_told_a_server_that_died_is_asked_for_again_and_paid_once(
    demo: Demo,
    tmp_path: Path,
    postgres_server: PostgresServer,
    redis_server: RedisServer,
    computer_at: ComputerFactory,
    kept_in: str,
) -> None:
    with postgres_server.database() as database:
        url = database if kept_in == "postgresql" else f"sqlite:///{tmp_path / 'bjidp.sqlite'}"
        with fragile(demo, tmp_path, {"database_url": url, "redis_url": redis_server.fresh_url()}) as place:
            at = Deployment(place.server, place.sandbox, place.server)
            async with Caller(at) as caller, stores_at(place.config) as stores:
                everybody = Everybody(place, caller, stores, await residents(caller))
                try:
                    await everybody.is_not_paid_for_twice((await computer_at(place)).page)
                finally:
                    await faults(caller, "ok", *ASKED)
