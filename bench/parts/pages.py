"""A page of a flow: what the event loop spends on one request, and how soon it is answered, by people who come anew.

One request at a time. CPU is that of the event loop's thread, system time included: nobody is answered meanwhile. Each
captcha that is shown has another one drawn on a thread of its own, which takes several times what a page does and holds
up none, but for the interpreter's lock; that is in the seconds to the answer.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from bench.client import Answer, Connection
from bench.extent import Extent
from bench.forms import Visitor
from bench.measures import Target, percentile
from bench.page_floor import PageShape
from bench.servers import PageServers, page_floor
from bench.table import Found, Line, progress

BAR: Final = 3.0

STEP: Final = 0.003

_LABEL: Final = re.compile(rb'<label for="f-')
_FAULTY: Final = re.compile(rb'aria-invalid="true"')


class Sheet(NamedTuple):
    """A page, and a form to be posted on it; without one it is opened."""

    name: str
    path: str
    phone: bool
    typed: dict[str, str] | None = None

    @property
    def status(self) -> int:
        return 200 if self.typed is None else 422


SHEETS: Final = (
    Sheet("GET /register", "/register", phone=False),
    Sheet("GET /h5/login?tab=code", "/h5/login?tab=code", phone=True),
    Sheet("GET /login?tab=account", "/login?tab=account", phone=False),
    Sheet(
        "POST /h5/login, faulty",
        "/h5/login",
        phone=True,
        typed={"account": "somebody", "password": "", "captcha": "1234"},
    ),
)
"""One address each: the floor tells them apart by it."""


class Cost(NamedTuple):
    """What one request cost: seconds of the event loop's CPU, and seconds to its answer."""

    cpu: float
    answer: float


async def measure(servers: PageServers, extent: Extent) -> Found:
    progress(f"{len(SHEETS)} pages, {extent.page_rounds} x 3 x {extent.page_requests} requests each")
    numbers = itertools.count()
    shapes = {sheet.path: await _shape(servers.embedded, sheet, numbers) for sheet in SHEETS}
    floor = await page_floor(servers.starter, servers.folder, shapes)
    targets = {"floor": floor, "embedded": servers.embedded, "Redis + PostgreSQL": servers.scaled}
    lines: list[Line] = []
    figures: dict[str, object] = {}
    for sheet in SHEETS:
        found = await _costs(targets, sheet, extent, numbers)
        base = found.pop("floor")
        for name, rounds in found.items():
            each = [_p95(own).cpu / _p95(bottom).cpu for own, bottom in zip(rounds, base, strict=True)]
            own, bottom = (_p95(list(itertools.chain.from_iterable(all_))) for all_ in (rounds, base))
            figures[f"page, {sheet.name}, {name}"] = {"requests": rounds, "floor": base}
            lines.append(
                Line(
                    f"page, p95, {sheet.name}, {name}",
                    f"{own.cpu / bottom.cpu:.2f}",
                    f"{min(each):.2f}-{max(each):.2f}",
                    f"<= {BAR:.1f}",
                    own.cpu <= BAR * bottom.cpu,
                    *(f"{cost.cpu * 1e3:.2f} ms (answered in {cost.answer * 1e3:.2f})" for cost in (own, bottom)),
                )
            )
    return Found(lines, figures)


def _p95(costs: list[Cost]) -> Cost:
    return Cost(*(percentile(list(values), 0.95) for values in zip(*costs, strict=True)))


async def _costs(
    targets: dict[str, Target], sheet: Sheet, extent: Extent, numbers: Iterator[int]
) -> dict[str, list[list[Cost]]]:
    costs: dict[str, list[list[Cost]]] = {name: [] for name in targets}
    for number in range(extent.page_rounds + 1):
        order = list(targets.items())
        for name, each in order if number % 2 == 0 else reversed(order):
            slice_ = await _requests(each, sheet, extent.page_requests, numbers)
            if number:
                # The first time warms up.
                costs[name].append(slice_)
    return costs


async def _requests(at: Target, sheet: Sheet, count: int, numbers: Iterator[int]) -> list[Cost]:
    http = await Connection.to(at.place.port)
    costs = []
    for _ in range(count):
        visitor, request = await _prepared(at, sheet, http, numbers)
        # The captcha that was shown last has its successor, and after the answer the event loop has come to rest.
        await at.process.rest(STEP)
        before, begun = at.process.loop_cpu(), time.perf_counter()
        await visitor.send(request, sheet.status)
        answer = time.perf_counter() - begun
        await at.process.rest(STEP)
        costs.append(Cost(at.process.loop_cpu() - before, answer))
    http.close()
    return costs


async def _prepared(at: Target, sheet: Sheet, http: Connection, numbers: Iterator[int]) -> tuple[Visitor, bytes]:
    visitor = Visitor(at.place, http, next(numbers), phone=sheet.phone)
    if sheet.typed is None:
        return visitor, visitor.asking(sheet.path)
    await visitor.open(sheet.path)
    return visitor, visitor.posting(sheet.path, **sheet.typed)


async def _shape(at: Target, sheet: Sheet, numbers: Iterator[int]) -> PageShape:
    http = await Connection.to(at.place.port)
    visitor, request = await _prepared(at, sheet, http, numbers)
    answer: Answer = await visitor.send(request, sheet.status)
    http.close()
    return PageShape(len(answer.body), len(_LABEL.findall(answer.body)), len(_FAULTY.findall(answer.body)))
