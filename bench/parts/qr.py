"""The login by QR: what one costs, what a waiting page costs, how soon the page knows."""

from __future__ import annotations

import statistics
from typing import Final

from bench.extent import Extent
from bench.measures import confirm_to_page, cpu_of_logins, idle, memory_of_pages, percentile, ratio
from bench.servers import QrServers
from bench.table import Found, Line, block, progress

KIB: Final = 1024


async def measure(servers: QrServers, extent: Extent) -> Found:
    floor, embedded, scaled, floor_crowd, embedded_crowd = servers
    lines: list[Line] = []
    figures: dict[str, object] = {}

    progress(f"CPU of {extent.rounds} x 3 x {extent.logins} logins")
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

    progress(f"memory of {extent.pages} waiting pages")
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

    progress("confirm to page, with and without pages waiting")
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

    progress(f"{extent.idle_seconds:.0f} s of {extent.pages} idle pages")
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
    lines += [
        block("under logins, embedded", blocks["logins"][1], blocks["logins"][0]),
        block("under logins, Redis + PostgreSQL", blocks["logins"][2], blocks["logins"][0]),
        block(f"with {extent.pages} pages waiting", blocks["confirm to page"][3], blocks["confirm to page"][2]),
    ]
    return Found(lines, figures)
