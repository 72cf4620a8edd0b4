"""Time: deadlines that nothing prolongs, and pictures that grow old (attacks Q15, Q16)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.support.browser import Browser, Screen
from tests.support.calls import PATIENCE, Caller, Deployment
from tests.support.crowd import Crowd

LAUNCH = 1011
"""The launch scene of WeChat's own scanner."""


async def grows(screen: Screen, age: float) -> None:
    """Wait until a ticket is ``age`` seconds old."""
    await asyncio.sleep(max(0.0, age - screen.age))


@pytest.mark.attack("Q16")
@pytest.mark.req("LOG-2")
async def test_a_picture_of_the_code_is_useless_within_seconds(caller: Caller, crowd: Crowd) -> None:
    """A frame counts for six seconds, for fifteen when the platform's scanner had to start 京通 first."""
    phone = await crowd.resident(caller)
    one, two = Browser(caller), Browser(caller)
    first, second = await one.screen(), await two.screen()
    photograph, poster = first.frame(0), second.frame(0)
    await grows(first, 7.5)
    assert (await phone.scan(photograph)).verdict == (409, "frame_stale")
    assert (await one.events()).json()["type"] == "ticket"
    assert (await phone.scan(photograph, LAUNCH)).status == 200
    await grows(second, 16.5)
    for scene in (0, LAUNCH):
        assert (await phone.scan(poster, scene)).verdict == (409, "frame_stale")
        assert (await phone.scan(second.frame(second.number + 3), scene)).verdict == (409, "frame_stale")
    message = (await two.events()).json()
    assert (message["type"], message["ticket"]) == ("ticket", second.ticket)
    assert (await phone.scan(second)).status == 200


@pytest.mark.attack("Q15")
async def test_scanning_again_and_again_prolongs_nothing(variant: Callable[[str], Deployment], crowd: Crowd) -> None:
    """The deadline to confirm is set by the first scan; later ones of the same account leave it."""
    async with Caller(variant("hasty")) as caller:
        phone = await crowd.phone(caller)
        browser = Browser(caller)
        screen = await browser.screen()
        scanned = await phone.takes(screen)
        left = [scanned["expires_in"]]
        started = asyncio.get_running_loop().time()
        async with asyncio.timeout(PATIENCE):
            while (answer := await phone.scan(screen)).status == 200:
                scanned = answer.json()
                left.append(scanned["expires_in"])
                await asyncio.sleep(0.25)
        assert answer.verdict == (410, "ticket_expired")
        assert left == sorted(left, reverse=True)
        assert asyncio.get_running_loop().time() - started < 3 + 2
        assert (await phone.confirm(scanned)).verdict == (410, "ticket_expired")


@pytest.mark.attack("Q15")
async def test_the_time_to_redeem_begins_with_the_confirm_and_is_short(
    variant: Callable[[str], Deployment], crowd: Crowd
) -> None:
    """Reconnecting, polling and renewing do not lengthen an approval; the page hears that it is over."""
    async with Caller(variant("hasty")) as caller:
        phone = await crowd.phone(caller)
        browser = Browser(caller)
        await phone.approves(await browser.screen())
        message = await browser.message("approved")
        left = [message["expires_in"]]
        assert 0 < left[0] <= 2
        async with asyncio.timeout(PATIENCE):
            while (message := (await browser.events()).json())["type"] == "approved":
                left.append(message["expires_in"])
                assert (await browser.tickets()).json()["type"] in {"approved", "expired", "ticket"}
                await asyncio.sleep(0.2)
        assert left == sorted(left, reverse=True)
        assert message["type"] in {"expired", "ticket"}
        assert "grant" not in message
