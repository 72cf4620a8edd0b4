"""What a stranger can tell apart: nothing (attack Q22)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from statistics import median

import pytest

from tests.support.browser import Browser
from tests.support.calls import Caller, Deployment, until
from tests.support.crowd import Crowd
from tests.support.login import approved

SAMPLES = 100
BATCH = 15
"""Samples a stranger takes before the next one comes: a browser redeems sixty times a minute, each sample four."""
NEVER = "B" * 43


async def is_over(browser: Browser) -> bool:
    return bool((await browser.events()).json()["type"] != "approved")


@pytest.mark.attack("Q22", "Q3")
async def test_unknown_foreign_used_and_expired_look_the_same_to_a_stranger(
    variant: Callable[[str], Deployment], crowd: Crowd
) -> None:
    """One answer, byte for byte and in the same time, for every ticket that is not one's own."""
    async with Caller(variant("hasty")) as caller:
        phone = await crowd.phone(caller)
        expired = await approved(caller, phone)
        await until(lambda: is_over(expired.browser))
        used = await approved(caller, phone)
        assert (await used.browser.redeem(used.grant, used.code)).status == 200
        stranger = Browser(caller)
        await stranger.screen()
        live = await approved(caller, phone)
        flows = {"unknown": "A" * 22, "foreign": live.browser.flow, "used": used.browser.flow}
        flows["expired"] = expired.browser.flow
        grants = {"unknown": NEVER, "foreign": live.grant, "used": used.grant, "expired": expired.grant}
        # The owner alone is told whether it lived; to its owner too, a used and an expired one are unknown.
        faces = {(await stranger.redeem(grant)).face for grant in grants.values()}
        faces.add((await expired.browser.redeem(expired.grant)).face)
        assert len(faces) == 1
        assert {(await stranger.events(flow=flow)).face for flow in flows.values()} == {
            (await stranger.events(flow="B" * 22)).face
        }
        clock = asyncio.get_running_loop().time
        times: dict[str, list[float]] = {name: [] for name in grants}
        for sample in range(SAMPLES):
            if sample % BATCH == 0:
                stranger = Browser(caller)
                await stranger.screen()
            for name, grant in grants.items():
                started = clock()
                answers = await stranger.redeem(grant), await stranger.events(flow=flows[name])
                times[name].append(clock() - started)
                assert [answer.status for answer in answers] == [404, 403]
        medians = {name: median(values) for name, values in times.items()}
        assert max(medians.values()) < 1.5 * min(medians.values()) + 0.0005, medians
