"""Who brings notices to relying parties, on a real outbox: none is lost, none waits for another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bjidp.clock import DAY, HOUR, MINUTE, SECOND
from bjidp.errors import VendorUnavailable
from bjidp.mac import mac_once
from bjidp.oidc.logouts.telling import AT_ONCE, Telling
from bjidp.oidc.signing import SigningKeys
from tests.contracts.house import House
from tests.contracts.test_logouts import ADDRESS, queued

pytestmark = pytest.mark.req("RP-1")

ISSUER = "https://id.example"
SIGNING = SigningKeys(lambda label: mac_once(b"root", label.encode()), 1)


class Sites:
    """The relying parties behind their addresses: they take, refuse, or say nothing."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.told: list[dict[str, Any]] = []
        self.down: set[str] = set()
        self.silent = asyncio.Event()
        self.silent.set()
        self.asked = 0
        self.heard = asyncio.Event()

    async def tell(self, address: str, logout_token: str) -> None:
        assert address == ADDRESS
        self.asked += 1
        self.heard.set()
        read = (
            SIGNING.verified(logout_token, "logout+jwt", client, ISSUER, self.house.now)
            for client in ("portal", "other")
        )
        [claims] = [one for one in read if one is not None]
        if claims["aud"] == "portal":
            await self.silent.wait()
        if claims["aud"] in self.down:
            raise VendorUnavailable
        self.told.append(claims)


@pytest.fixture
def sites(sqlite_house: House) -> Sites:
    return Sites(sqlite_house)


def worker(sites: Sites) -> Telling:
    return Telling(
        outbox=sites.house.sql.logouts,
        clients=sites.house.sql.clients,
        receivers=sites,
        signing=SIGNING,
        issuer=ISSUER,
        clock=sites.house.clock,
    )


@pytest.fixture
async def telling(sites: Sites) -> AsyncIterator[Telling]:
    telling = worker(sites)
    yield telling
    await telling.stop()


async def once(telling: Telling) -> None:
    await telling.begin()
    await telling.settled()


async def test_a_backlog_is_brought_whole_and_each_notice_once(sites: Sites, telling: Telling) -> None:
    notices = await queued(sites.house, 2 * AT_ONCE + 3)
    await once(telling)
    assert sorted(claims["jti"] for claims in sites.told) == sorted(notice.jti for notice in notices)
    assert {claims["sub"] for claims in sites.told} == {notices[0].subject}
    await once(telling)
    assert len(sites.told) == len(notices)


async def test_two_processes_bring_each_notice_once(sites: Sites, telling: Telling) -> None:
    notices = await queued(sites.house, 2 * AT_ONCE + 3)
    other = worker(sites)
    await asyncio.gather(telling.begin(), other.begin())
    await asyncio.gather(telling.settled(), other.settled())
    assert sorted(claims["jti"] for claims in sites.told) == sorted(notice.jti for notice in notices)


async def test_a_site_that_is_down_is_told_when_it_is_back(sites: Sites, telling: Telling) -> None:
    [notice] = await queued(sites.house)
    sites.down.add("portal")
    for seconds in (0, 10, 20):
        sites.house.clock.advance(seconds)
        await once(telling)
    assert sites.asked == 3
    sites.down.clear()
    await once(telling)
    assert sites.asked == 3, "it is left alone for a while"
    sites.house.clock.advance(40)
    await once(telling)
    assert [claims["jti"] for claims in sites.told] == [notice.jti]


async def test_a_site_that_is_down_costs_a_few_attempts_whatever_has_piled_up_for_it(
    sites: Sites, telling: Telling
) -> None:
    await queued(sites.house, 5 * AT_ONCE)
    sites.down.add("portal")
    await once(telling)
    await once(telling)
    assert sites.asked == AT_ONCE


async def test_nobody_waits_for_a_site_that_says_nothing(sites: Sites, telling: Telling) -> None:
    await queued(sites.house, 2)
    sites.silent.clear()
    await telling.begin()
    await sites.heard.wait()
    sites.heard.clear()
    await queued(sites.house, 1, "other")
    await telling.begin()
    await sites.heard.wait()
    assert [claims["aud"] for claims in sites.told] == ["other"]
    sites.silent.set()
    await telling.settled()
    assert [claims["aud"] for claims in sites.told] == ["other", "portal", "portal"]


async def test_what_a_process_died_over_is_brought_by_the_next(sites: Sites, telling: Telling) -> None:
    [notice] = await queued(sites.house)
    sites.silent.clear()
    await telling.begin()
    await sites.heard.wait()
    await telling.stop()
    sites.silent.set()
    successor = worker(sites)
    await once(successor)
    assert sites.told == [], "its predecessor may be at it"
    sites.house.clock.advance(MINUTE // SECOND)
    await once(successor)
    assert [claims["jti"] for claims in sites.told] == [notice.jti]


async def test_a_notice_is_given_up_after_a_day_and_the_log_says_so(sites: Sites, telling: Telling) -> None:
    await queued(sites.house)
    sites.down.add("portal")
    for _ in range(DAY // HOUR + 20):
        await once(telling)
        sites.house.clock.advance(HOUR // SECOND)
    [counts] = await sites.house.sql.logouts.counts()
    assert (counts.waiting, counts.told, counts.given_up) == (0, 0, 1)
    assert sites.asked < DAY // HOUR + 20
    assert [kind for kind, _, _ in sites.house.audit()][-1] == "logout.not_told"
