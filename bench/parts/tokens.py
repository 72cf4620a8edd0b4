"""What relying parties ask: a code exchanged, what a person agreed may be read, and a whole login that begins there."""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from bench.client import Connection
from bench.extent import Extent
from bench.house import PEOPLE
from bench.measures import TOGETHER, Target, logins, ratio
from bench.peer import Peer
from bench.processes import Measured
from bench.servers import TokenServers
from bench.site import CHALLENGE, Endpoints, again, ours, peers, sent
from bench.table import Found, Line, progress

BAR: Final = 0.75
"""As many an CPU second as the provider beside it."""

WARM: Final = 12
"""Rounds before the first that counts: Node compiles what it runs often, and is three times as fast after 2,400
requests as after the first 200."""

PORTAL_BAR: Final = 2.5


class Side(NamedTuple):
    """A provider: its process, where it is asked, and how it comes by codes."""

    process: Measured
    endpoints: Endpoints
    codes: Callable[[int], Awaitable[list[str]]]


async def measure(servers: TokenServers, extent: Extent) -> Found:
    lines: list[Line] = []
    figures: dict[str, object] = {}
    for own, peer, storage in (
        (servers.embedded, servers.memory, "SQLite beside its memory"),
        (servers.scaled, servers.redis, "Redis + PostgreSQL beside Redis"),
    ):
        progress(f"{extent.rounds} x 2 x {extent.logins} exchanges and userinfo, {storage}")
        sides = [await _ours(own), _peers(peer)]
        for name, (costs, floor) in (await _asked(sides, extent)).items():
            rates = ratio(floor, costs)
            figures[f"{name}, {storage}"] = {"ratio": rates._asdict(), "seconds": costs, "peer": floor}
            lines.append(
                Line(
                    f"{name} an CPU second, {storage}",
                    f"{rates.median:.2f}",
                    f"{rates.least:.2f}-{rates.most:.2f}",
                    f">= {BAR:.2f}",
                    rates.median >= BAR,
                    f"{1 / statistics.median(costs):.0f}",
                    f"{1 / statistics.median(floor):.0f}",
                )
            )
    for own, storage in ((servers.embedded, "embedded"), (servers.scaled, "Redis + PostgreSQL")):
        progress(f"{extent.rounds} x 2 x {extent.logins} logins, bare and from a site, {storage}")
        bare, whole = await _logins(own, extent)
        each = ratio(whole, bare)
        figures[f"login from a site, {storage}"] = {"ratio": each._asdict(), "seconds": whole, "bare": bare}
        lines.append(
            Line(
                f"CPU of a login by QR from a site, {storage}",
                f"{each.median:.2f}",
                f"{each.least:.2f}-{each.most:.2f}",
                f"<= {PORTAL_BAR:.1f}",
                each.median <= PORTAL_BAR,
                f"{statistics.median(whole) * 1e3:.2f} ms",
                f"{statistics.median(bare) * 1e3:.2f} ms",
            )
        )
    return Found(lines, figures)


async def _ours(own: Target) -> Side:
    """Log people in at our server, who bring codes from then on."""
    browser, phone = await Connection.to(own.place.port), await Connection.to(own.place.port)
    people = [next(own.people) for _ in range(PEOPLE)]
    held = [(person, (await sent(own.place, person, browser, phone))[1]) for person in people]
    phone.close()
    turns = itertools.cycle(held)

    async def codes(count: int) -> list[str]:
        return [await again(own.place, person, browser, cookies) for person, cookies in itertools.islice(turns, count)]

    return Side(own.process, ours(own.place), codes)


def _peers(peer: Peer) -> Side:
    async def codes(count: int) -> list[str]:
        return list(json.loads(await peer.process.tell(f"codes {count} {CHALLENGE}")))

    return Side(peer.process, peers(peer.place), codes)


async def _asked(sides: list[Side], extent: Extent) -> dict[str, tuple[list[float], list[float]]]:
    """Return the CPU seconds of one exchange and of one look at userinfo, for each side in each round."""
    exchanges: tuple[list[float], list[float]] = ([], [])
    looks: tuple[list[float], list[float]] = ([], [])
    for number in range(-WARM, extent.rounds):
        order = list(enumerate(sides))
        for place, side in order if number % 2 == 0 else reversed(order):
            codes = await side.codes(extent.logins)
            await side.process.rest()
            spent, tokens = await _each(side, codes, side.endpoints.exchange)
            looked, _ = await _each(side, tokens, side.endpoints.userinfo)
            if number >= 0:
                exchanges[place].append(spent)
                looks[place].append(looked)
    return {"codes exchanged": exchanges, "userinfo": looks}


T = str | None


async def _each(
    side: Side, values: list[str], ask: Callable[[Connection, str], Awaitable[T]]
) -> tuple[float, list[str]]:
    """Ask once for each value, :data:`TOGETHER` at a time; return the CPU seconds of one, and what was answered."""
    left = iter(values)
    answers: list[str] = []

    async def one_after_the_other() -> None:
        http = await Connection.to(side.endpoints.place.port)
        for value in left:
            answer = await ask(http, value)
            if answer is not None:
                answers.append(answer)
        http.close()

    before = side.process.cpu()
    await asyncio.gather(*(one_after_the_other() for _ in range(TOGETHER)))
    return (side.process.cpu() - before) / len(values), answers


async def _logins(own: Target, extent: Extent) -> tuple[list[float], list[float]]:
    """Return the CPU seconds of a bare login by QR and of one that a site asked for, in each round."""
    bare: list[float] = []
    whole: list[float] = []
    for number in range(extent.rounds):
        for kind in (bare, whole) if number % 2 == 0 else (whole, bare):
            before = own.process.cpu()
            if kind is bare:
                await logins(own, extent.logins)
            else:
                await _from_site(own, extent.logins)
            kind.append((own.process.cpu() - before) / extent.logins)
    return bare, whole


async def _from_site(own: Target, count: int) -> None:
    left = itertools.islice(own.people, count)
    endpoints = ours(own.place)

    async def one_after_the_other() -> None:
        browser, phone = await Connection.to(own.place.port), await Connection.to(own.place.port)
        site = await Connection.to(own.place.port)
        for person in left:
            code, _ = await sent(own.place, person, browser, phone)
            await endpoints.userinfo(site, await endpoints.exchange(site, code))
        for each in (browser, phone, site):
            each.close()

    await asyncio.gather(*(one_after_the_other() for _ in range(TOGETHER)))
