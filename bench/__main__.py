"""``make bench``: run every measurement and print one table. Takes about two minutes."""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple

import uvloop

from bench.client import Connection
from bench.house import House
from bench.login import Person, Place, log_in
from bench.measures import (
    Crowded,
    Target,
    answering,
    confirm_to_page,
    cpu_of_logins,
    idle,
    memory_of_pages,
    percentile,
    ratio,
    target,
)
from bench.processes import Measured
from bench.shape import Shape, shape_of
from bench.table import Line, machine, table
from tests.support.postgres import PostgresServer
from tests.support.processes import free_port
from tests.support.redis import RedisServer

RESULTS: Final = Path("bench/results")
KIB: Final = 1024


class Extent(NamedTuple):
    """How much is measured."""

    rounds: int
    logins: int
    pages: int
    warm_pages: int
    latency_rounds: int
    latency_logins: int
    idle_seconds: float


FULL: Final = Extent(12, 200, 1000, 100, 8, 50, 60.0)
QUICK: Final = Extent(4, 100, 200, 50, 2, 20, 5.0)
"""For trying a change; too little for a figure to be quoted."""


class Servers(NamedTuple):
    """Everything under measurement. Those that hold a crowd of pages are processes of their own."""

    floor: Target
    embedded: Target
    scaled: Target
    floor_crowd: Crowded
    embedded_crowd: Crowded


async def measure(extent: Extent, folder: Path) -> tuple[list[Line], dict[str, object], str]:
    """Run everything; return the table, the figures and the machine."""
    async with contextlib.AsyncExitStack() as stack:
        # A folder of its own: the database's user has to be let in, and into nothing else.
        postgres = PostgresServer(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bjidp-bench-pg-"))))
        stack.callback(postgres.stop)
        (folder / "redis").mkdir()
        redis = RedisServer(folder / "redis")
        stack.callback(redis.stop)
        named = machine(
            [f"{server.backend.name} {'.'.join(map(str, server.backend.version))}" for server in (redis, postgres)]
        )
        servers = await stack.enter_async_context(_servers(folder, postgres, redis))
        lines, figures = await _measured(servers, extent)
        return lines, figures, named


@contextlib.asynccontextmanager
async def _servers(folder: Path, postgres: PostgresServer, redis: RedisServer) -> AsyncIterator[Servers]:
    postgres.create("bench")
    houses = [
        House(folder / "embedded", free_port(), f"sqlite:///{folder / 'embedded.sqlite'}"),
        House(folder / "scaled", free_port(), postgres.url("bench"), redis.fresh_url()),
        House(folder / "crowd", free_port(), f"sqlite:///{folder / 'crowd.sqlite'}"),
    ]
    async with contextlib.AsyncExitStack() as stack:

        async def started(module: str, *arguments: str | Path) -> Measured:
            process = await Measured.start(module, *arguments)
            stack.push_async_callback(process.stop)
            return process

        served: list[Target] = []
        for house in houses:
            people = await house.people()
            served.append(target(await started("bench.server", house.settings), house.place, people))
            await answering(house.place)
        embedded, scaled, crowded = served
        shape = folder / "shape.json"
        shape.write_text(json.dumps((await _one_login(embedded))._asdict()), encoding="utf-8")
        floors: list[Target] = []
        for _ in range(2):
            place = Place(free_port())
            process = await started("bench.floor", shape, str(place.port))
            floors.append(target(process, place, [Person("none", "127.0.0.1")]))
        crowds = [Crowded(each, await started("bench.crowd", str(each.place.port))) for each in (floors[1], crowded)]
        yield Servers(floors[0], embedded, scaled, *crowds)


async def _one_login(at: Target) -> Shape:
    browser, phone = await Connection.to(at.place.port), await Connection.to(at.place.port)
    login = await log_in(at.place, next(at.people), browser, phone)
    browser.close()
    phone.close()
    return shape_of(login)


async def _measured(servers: Servers, extent: Extent) -> tuple[list[Line], dict[str, object]]:
    floor, embedded, scaled, floor_crowd, embedded_crowd = servers
    lines: list[Line] = []
    figures: dict[str, object] = {"extent": extent._asdict()}

    _progress(f"CPU of {extent.rounds} x 3 x {extent.logins} logins")
    alone = [floor.process, embedded.process, scaled.process]
    for process in alone:
        await process.watch()
    base, *costs = await cpu_of_logins([floor, embedded, scaled], extent.rounds, extent.logins)
    blocks = {"logins": [await process.longest_block() for process in alone]}
    for name, bar, cost in (("embedded", 2.0, costs[0]), ("Redis + PostgreSQL", 3.5, costs[1])):
        each = ratio(cost, base)
        figures[f"login, {name}"] = {"ratio": each._asdict(), "seconds": cost, "floor": base}
        lines.append(
            Line(
                f"CPU of a QR login, {name}",
                f"{each.median:.2f}",
                f"{each.least:.2f}-{each.most:.2f}",
                f"<= {bar:.1f}",
                each.median <= bar,
                f"{statistics.median(cost) * 1e3:.2f} ms",
                f"{statistics.median(base) * 1e3:.2f} ms",
            )
        )

    _progress(f"memory of {extent.pages} waiting pages")
    held = [await memory_of_pages(each, extent.warm_pages, extent.pages) for each in (embedded_crowd, floor_crowd)]
    figures["bytes a waiting page"] = {"embedded": held[0], "floor": held[1]}
    lines.append(
        Line(
            "memory of a waiting page",
            f"{held[0] / held[1]:.2f}",
            "",
            "<= 24 KiB",
            held[0] <= 24 * KIB,
            f"{held[0] / KIB:.1f} KiB",
            f"{held[1] / KIB:.1f} KiB",
        )
    )

    _progress("confirm to page, with and without pages waiting")
    crowded = [floor_crowd.target, embedded_crowd.target]
    both = [floor, embedded, *crowded]
    for one in both:
        await one.process.watch()
    seconds = await confirm_to_page(both, extent.latency_rounds, extent.latency_logins)
    blocks["confirm to page"] = [await each.process.longest_block() for each in both]
    for name, (own, base_own) in {"0": (1, 0), str(extent.pages): (3, 2)}.items():
        for share, title in ((0.5, "p50"), (0.99, "p99")):
            value, bottom = percentile(seconds[own], share), percentile(seconds[base_own], share)
            figures[f"confirm to page, {title}, {name} waiting"] = {"embedded": value, "floor": bottom}
            lines.append(
                Line(
                    f"confirm to page, {title}, {name} pages waiting",
                    f"{value / bottom:.2f}",
                    "",
                    "",
                    None,
                    f"{value * 1e3:.2f} ms",
                    f"{bottom * 1e3:.2f} ms",
                )
            )

    _progress(f"{extent.idle_seconds:.0f} s of {extent.pages} idle pages")
    shares = await idle([each.target.process for each in (embedded_crowd, floor_crowd)], extent.idle_seconds)
    tenfold = [share * 10_000 / (extent.pages + extent.warm_pages) for share in shares]
    figures["idle share of a core"] = {"embedded": shares[0], "floor": shares[1]}
    lines.append(
        Line(
            "CPU of 10,000 idle pages (scaled)",
            f"{shares[0] / shares[1]:.2f}" if shares[1] else "",
            "",
            "<= 5 % of a core",
            tenfold[0] <= 0.05,
            f"{tenfold[0]:.1%}",
            f"{tenfold[1]:.1%}",
        )
    )
    gone = [int(await each.crowd.tell("closed")) for each in (embedded_crowd, floor_crowd)]
    if any(gone):
        raise RuntimeError(f"pages that should wait were closed: {gone}")

    figures["blocks"] = blocks
    for title, (mine, floors) in {
        "under logins, embedded": (blocks["logins"][1], blocks["logins"][0]),
        "under logins, Redis + PostgreSQL": (blocks["logins"][2], blocks["logins"][0]),
        f"with {extent.pages} pages waiting": (blocks["confirm to page"][3], blocks["confirm to page"][2]),
    }.items():
        lines.append(
            Line(
                f"longest block, {title}",
                f"{mine[0] / floors[0]:.2f}",
                "",
                "<= 50 ms",
                mine[0] <= 0.05,
                f"{mine[0] * 1e3:.1f} ms ({mine[1] * 1e3:.1f} computing)",
                f"{floors[0] * 1e3:.1f} ms ({floors[1] * 1e3:.1f} computing)",
            )
        )
    return lines, figures


def _progress(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run, for trying a change")
    extent = QUICK if parser.parse_args().quick else FULL
    with tempfile.TemporaryDirectory(prefix="bjidp-bench-") as folder:
        lines, figures, named = uvloop.run(measure(extent, Path(folder)))
    print(f"\n{named}\n\n{table(lines)}")
    RESULTS.mkdir(exist_ok=True)
    result = {"machine": named, "lines": [line._asdict() for line in lines], "figures": figures}
    (RESULTS / "latest.json").write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
