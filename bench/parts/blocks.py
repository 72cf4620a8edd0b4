"""The longest block of the event loop while threads are busy, and while people register.

The floor of pages is watched at the same time and takes turns with the server: as many requests, as many at a time.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, NamedTuple

from bench.client import Connection, get
from bench.extent import Extent
from bench.forms import Visitor
from bench.house import PASSWORD, phone_number, username
from bench.measures import Target
from bench.page_floor import PageShape
from bench.servers import FormServers, page_floor
from bench.table import Found, Line, block, progress

TOGETHER: Final = 16

SLICES: Final = 4

PAGE: Final = "/register"
PAGES_EACH: Final = 4
"""Requests of one registration."""

CAPTCHAS: Final = 96
"""As many as the pool has, and half of that again: it is drained, and drawn full."""

FIRST_VISITOR: Final = 1000
"""Members of a rush have the numbers below."""
FIRST_APPLICANT: Final = 500_000
"""Numbers that no member has."""

PATIENCE: Final = 10.0

_FLOW: Final = re.compile(rb"(?mi)^location: \S*[?]flow=(\S+)")


class Phase(NamedTuple):
    """Something that may keep the event loop busy, and how many requests, so many at a time, the floor gets for it."""

    name: str
    work: Callable[[], Awaitable[None]]
    requests: int
    together: int


async def measure(servers: FormServers, extent: Extent) -> Found:
    crowd = _Applicants(servers)
    floor = await page_floor(servers.starter, servers.folder, {PAGE: await crowd.shape()})
    registrations = extent.registrations // SLICES
    phases = (
        Phase("captchas drawn", lambda: crowd.open_pages(CAPTCHAS), CAPTCHAS, TOGETHER),
        Phase(f"{extent.rush} password logins at once", lambda: crowd.log_in(extent.rush), extent.rush, extent.rush),
        Phase("registrations", lambda: crowd.register(registrations), registrations * PAGES_EACH, TOGETHER),
        Phase("all of these", lambda: crowd.do_everything(extent.rush, registrations), extent.rush, extent.rush),
    )
    lines: list[Line] = []
    figures: dict[str, object] = {}
    for name, work, requests, together in phases:
        progress(f"longest block: {name}")
        async with _watched(servers.server, floor) as found:
            for _ in range(SLICES):
                await work()
                await servers.server.process.rest()
                await _open_floor(floor, requests, together)
        own, base = found
        lines.append(block(name, own, base))
        figures[f"longest block, {name}"] = {"server": own, "floor": base}
    return Found(lines, figures)


@asynccontextmanager
async def _watched(*targets: Target) -> AsyncIterator[list[tuple[float, float]]]:
    """Watch all of them; what is yielded has the longest block of each once the block is over."""
    found: list[tuple[float, float]] = []
    for each in targets:
        await each.process.watch()
    yield found
    found += [await each.process.longest_block() for each in targets]


class _Applicants:
    """People at the pages of one server."""

    def __init__(self, servers: FormServers) -> None:
        self._servers = servers
        self._place = servers.server.place
        self._visitors = itertools.count(FIRST_VISITOR)
        self._people = itertools.count(FIRST_APPLICANT)

    async def shape(self) -> PageShape:
        """Return how large the page is that people register on."""
        http = await Connection.to(self._place.port)
        page = await self._visitor(http).open(PAGE)
        http.close()
        return PageShape(len(page.body), page.body.count(b'<label for="f-'), 0)

    async def open_pages(self, count: int) -> None:
        """Open pages with a captcha."""

        async def one(http: Connection, _: Connection) -> None:
            await self._opened(self._visitor(http), PAGE)

        await self._each(count, one)

    async def log_in(self, count: int) -> None:
        """Let members log in by their passwords at one moment."""
        await self._servers.rush.tell(f"prepare {count}")
        await self._servers.rush.tell("go")

    async def register(self, count: int) -> None:
        """Let people register, from the page to the account."""
        await self._each(count, self._register)

    async def do_everything(self, logins: int, registrations: int) -> None:
        """Do all of that at once."""
        await self._servers.rush.tell(f"prepare {logins}")
        await asyncio.gather(self._servers.rush.tell("go"), self.open_pages(CAPTCHAS), self.register(registrations))

    async def _register(self, http: Connection, sandbox: Connection) -> None:
        visitor, person = self._visitor(http), next(self._people)
        await self._opened(visitor, PAGE)
        typed = {"username": username(person), "phone": phone_number(person), "agreed": "yes"}
        captcha = self._servers.answers.of(visitor.captcha)
        sent = await visitor.send(visitor.posting(PAGE, **typed, captcha=captcha, act="code"), HTTPStatus.SEE_OTHER)
        flow = _FLOW.search(sent.head)
        if flow is None:
            raise RuntimeError("asking for a code led elsewhere")
        await self._opened(visitor, f"{PAGE}?flow={flow[1].decode()}")
        typed |= {"code": await self._code(sandbox, typed["phone"]), "password": PASSWORD, "again": PASSWORD}
        # Turned away while the hasher is full, as in the product: nothing that was proved is lost by it.
        await visitor.send(visitor.posting(PAGE, **typed), HTTPStatus.SEE_OTHER, HTTPStatus.SERVICE_UNAVAILABLE)

    async def _opened(self, visitor: Visitor, path: str) -> None:
        """Open a page, if need be again and again: nobody waits for a captcha for ever."""
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await visitor.send(visitor.asking(path), HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)
                if answer.status == HTTPStatus.OK:
                    return
                await asyncio.sleep(0.05)

    async def _code(self, sandbox: Connection, number: str) -> str:
        request = get(f"/control/inbox?to={number}", self._servers.sandbox.host)
        async with asyncio.timeout(PATIENCE):
            while True:
                inbox = json.loads((await sandbox.ask(request)).body)
                if inbox:
                    return str(inbox[0]["code"])
                await asyncio.sleep(0.01)

    def _visitor(self, http: Connection) -> Visitor:
        return Visitor(self._place, http, next(self._visitors), phone=False)

    async def _each(self, count: int, one: Callable[[Connection, Connection], Awaitable[None]]) -> None:
        left = iter(range(count))

        async def one_after_the_other() -> None:
            http = await Connection.to(self._place.port)
            sandbox = await Connection.to(self._servers.sandbox.port)
            for _ in left:
                await one(http, sandbox)
            http.close()
            sandbox.close()

        await asyncio.gather(*(one_after_the_other() for _ in range(TOGETHER)))


async def _open_floor(floor: Target, count: int, together: int) -> None:
    left: Iterator[int] = iter(range(count))

    async def one_after_the_other(http: Connection) -> None:
        for number in left:
            await Visitor(floor.place, http, number, phone=False).open(PAGE)
        http.close()

    connections = [await Connection.to(floor.place.port) for _ in range(together)]
    await asyncio.gather(*map(one_after_the_other, connections))
