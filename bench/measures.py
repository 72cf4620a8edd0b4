"""The measurements. Each takes the processes it compares, and alternates between them in short slices."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from bench.client import Connection
from bench.house import PEOPLE
from bench.login import Person, Place, log_in
from bench.processes import Measured

TOGETHER: Final = 32
"""Logins under way at a time: what CPU costs is asked of busy processes. With 16 the embedded server waited for its
disk a third of the time, using 68 % of a core, and found its caches cold after each wait; the floor, which waits for
nothing, used 97 %. With 32 they use 92 % and 96 %."""

SETTLE: Final = 1.0


class Target(NamedTuple):
    """A process under measurement, where it is reached, and who logs in there, in turn."""

    process: Measured
    place: Place
    people: Iterator[Person]


class Crowded(NamedTuple):
    """A process and the one that opens pages on it."""

    target: Target
    crowd: Measured


def target(process: Measured, place: Place, people: list[Person]) -> Target:
    return Target(process, place, itertools.cycle(people))


async def answering(place: Place) -> None:
    """Return when somebody listens there."""
    async with asyncio.timeout(60):
        while True:
            try:
                (await Connection.to(place.port)).close()
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
            else:
                return


async def logins(at: Target, count: int, together: int = TOGETHER) -> list[float]:
    """Log ``count`` people in; return the seconds from each one's confirm to their page's knowing."""
    left = itertools.islice(at.people, count)
    seconds: list[float] = []

    async def one_after_the_other() -> None:
        browser, phone = await Connection.to(at.place.port), await Connection.to(at.place.port)
        seconds.extend([(await log_in(at.place, person, browser, phone)).seconds for person in left])
        browser.close()
        phone.close()

    await asyncio.gather(*(one_after_the_other() for _ in range(together)))
    return seconds


async def cpu_of_logins(targets: list[Target], rounds: int, count: int) -> list[list[float]]:
    """Return for each target the CPU seconds a login cost it in each round; one slice each, then the next round."""
    for each in targets:
        # Everybody's first login writes down the network that the later ones find.
        await logins(each, PEOPLE)
    costs: list[list[float]] = [[] for _ in targets]
    for number in range(rounds):
        order = list(enumerate(targets))
        for place, each in order if number % 2 == 0 else reversed(order):
            before = each.process.cpu()
            await logins(each, count)
            costs[place].append((each.process.cpu() - before) / count)
    return costs


async def memory_of_pages(crowded: Crowded, warm: int, count: int) -> float:
    """Return the bytes by which the process grew for each of ``count`` pages that wait."""
    process = crowded.target.process
    await crowded.crowd.tell(f"open {warm}")
    await asyncio.sleep(SETTLE)
    await process.tell("collect")
    before = process.memory()
    await crowded.crowd.tell(f"open {count}")
    await asyncio.sleep(SETTLE)
    await process.tell("collect")
    return (process.memory() - before) / count


async def confirm_to_page(targets: list[Target], rounds: int, count: int) -> list[list[float]]:
    """Return for each target the seconds of every login, made one at a time."""
    seconds: list[list[float]] = [[] for _ in targets]
    for number in range(rounds):
        order = list(enumerate(targets))
        for place, each in order if number % 2 == 0 else reversed(order):
            seconds[place] += await logins(each, count, together=1)
    return seconds


async def idle(processes: list[Measured], seconds: float) -> list[float]:
    """Return the share of a core that each process used while nothing was asked of it."""
    before = [process.cpu() for process in processes]
    begun = time.perf_counter()
    await asyncio.sleep(seconds)
    spent = time.perf_counter() - begun
    return [(process.cpu() - was) / spent for process, was in zip(processes, before, strict=True)]


def percentile(values: list[float], share: float) -> float:
    """Return the value that ``share`` of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Ratio(NamedTuple):
    """A ratio as measured several times."""

    median: float
    least: float
    most: float


def ratio(values: list[float], floor: list[float]) -> Ratio:
    """Return the ratio of each round's figure to the floor of the same round."""
    each = [value / base for value, base in zip(values, floor, strict=True)]
    return Ratio(statistics.median(each), min(each), max(each))
