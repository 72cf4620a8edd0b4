"""200 logins by password at one moment, and what they do to people who log in by QR."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Final

from bench.extent import Extent
from bench.measures import logins, percentile
from bench.processes import Measured
from bench.servers import FormServers
from bench.table import Found, Line, block, progress

BAR: Final = 3.0

ANSWERED: Final = 5.0
"""Seconds within which everybody has an answer: a try waits for the hasher's queue and for another captcha at most."""


async def measure(servers: FormServers, extent: Extent) -> Found:
    progress(f"{extent.rushes} times {extent.rush} password logins at once, with {extent.pages} pages waiting")
    server, rush = servers.server, servers.rush
    crowd = await Measured.start("bench.crowd", str(server.place.port))
    try:
        await crowd.tell(f"open {extent.pages}")
        await logins(server, extent.latency_logins)
        quiet: list[float] = []
        disturbed: list[float] = []
        answers: list[tuple[int, float]] = []
        await server.process.watch()
        for _ in range(extent.rushes):
            await rush.tell(f"prepare {extent.rush}")
            await server.process.rest()
            quiet += await logins(server, extent.latency_logins, together=1)
            going = asyncio.create_task(rush.tell("go"))
            while not going.done():
                disturbed += await logins(server, 1, together=1)
            answers += json.loads(await going)
        longest = await server.process.longest_block()
        if int(await crowd.tell("closed")):
            raise RuntimeError("pages that should wait were closed")
    finally:
        await crowd.stop()
    lines = [_confirm(share, title, disturbed, quiet, extent) for share, title in ((0.5, "p50"), (0.99, "p99"))]
    lines += [
        _turned_away(answers, extent),
        block(f"{extent.rush} password logins at once, {extent.pages} pages waiting", longest),
    ]
    figures: dict[str, object] = {
        "confirm to page, quiet": quiet,
        "confirm to page, during rushes": disturbed,
        "rushes": answers,
        "longest block": longest,
    }
    return Found(lines, figures)


def _confirm(share: float, title: str, disturbed: list[float], quiet: list[float], extent: Extent) -> Line:
    value, base = percentile(disturbed, share), percentile(quiet, share)
    return Line(
        f"confirm to page, {title}, {extent.rush} password logins at once",
        f"{value / base:.2f}",
        "",
        f"<= {BAR:.1f}" if title == "p99" else "",
        value <= BAR * base if title == "p99" else None,
        f"{value * 1e3:.2f} ms ({len(disturbed)} logins)",
        f"{base * 1e3:.2f} ms (without)",
    )


def _turned_away(answers: list[tuple[int, float]], extent: Extent) -> Line:
    busy = sum(status == HTTPStatus.SERVICE_UNAVAILABLE for status, _ in answers)
    last = max(seconds for _, seconds in answers)
    return Line(
        f"of {extent.rush} password logins at once, turned away (503)",
        "",
        "",
        f"all answered in {ANSWERED:.0f} s",
        last <= ANSWERED,
        f"{busy / extent.rushes:.0f}, the last answer after {last:.1f} s",
        "",
    )
