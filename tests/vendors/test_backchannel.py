"""Bringing logout tokens to a relying party, over real HTTP (attack Q24)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog
from aiohttp import web
from msgspec.structs import replace

from bjidp.errors import VendorUnavailable
from bjidp.oidc.logouts.telling import AT_ONCE, SERVED
from bjidp.vendors import catalog
from bjidp.vendors.catalog import HttpClients, build_logout_receivers
from bjidp.vendors.relying_parties.backchannel import LIMITS
from tests.vendors.stand import Stand

pytestmark = [pytest.mark.req("RP-1"), pytest.mark.attack("Q24")]


@pytest.fixture
async def portal() -> AsyncIterator[Stand]:
    portal = Stand()
    async with portal.open():
        portal.lies["/logout"] = lambda _: web.Response()
        yield portal


async def tell(clients: HttpClients, portal: Stand, *, demonstration: bool = True) -> None:
    receivers = build_logout_receivers(http=clients, demonstration=demonstration)
    await receivers.tell(f"{portal.address}/logout?tenant=1", "a.b.c")


async def test_a_token_is_posted_as_a_form(clients: HttpClients, portal: Stand) -> None:
    await tell(clients, portal)
    [seen] = portal.calls("/logout")
    assert (seen.method, seen.query, seen.form) == ("POST", {"tenant": "1"}, {"logout_token": "a.b.c"})


async def test_outside_a_demonstration_a_token_goes_by_https_alone(clients: HttpClients, portal: Stand) -> None:
    with pytest.raises(VendorUnavailable):
        await tell(clients, portal, demonstration=False)
    assert portal.seen == []


@pytest.mark.parametrize("status", [302, 307, 400, 500])
async def test_anything_but_a_yes_is_none_and_no_redirect_is_followed(
    clients: HttpClients, portal: Stand, status: int
) -> None:
    away = {"Location": f"{portal.address}/elsewhere"}
    portal.lies["/logout"] = lambda _: web.Response(status=status, headers=away)
    with pytest.raises(VendorUnavailable):
        await tell(clients, portal)
    assert portal.calls("/elsewhere") == []


async def test_an_answer_without_end_is_none(clients: HttpClients, portal: Stand) -> None:
    portal.lies["/logout"] = lambda _: web.Response(body=b"x" * 20_000)
    with pytest.raises(VendorUnavailable):
        await tell(clients, portal)


@pytest.mark.attack("T3")
async def test_sites_that_take_their_time_keep_no_other_from_being_told(
    clients: HttpClients, portal: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as are told at a time, and each of them slow. Nobody runs out of time but who waits for a connection."""
    monkeypatch.setattr(catalog, "LIMITS", replace(LIMITS, total=30.0, connect=15.0))
    slow = SERVED * AT_ONCE - 1
    portal.silent.add("/slow")
    portal.lies["/slow"] = lambda _: web.Response()
    receivers = build_logout_receivers(http=clients, demonstration=True)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for _ in range(slow):
            group.create_task(receivers.tell(f"{portal.address}/slow", "a.b.c"))
        await portal.until("/slow", slow)
        await receivers.tell(f"{portal.address}/logout", "a.b.c")
        portal.released.set()


async def test_neither_token_nor_address_is_logged(clients: HttpClients, portal: Stand) -> None:
    with structlog.testing.capture_logs() as logged:
        await tell(clients, portal)
    assert [entry["service"] for entry in logged] == ["relying_party"]
    assert "a.b.c" not in str(logged)
    assert portal.address not in str(logged)
