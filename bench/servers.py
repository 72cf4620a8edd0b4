"""What is measured, started and ended: each part of a run has servers of its own, all of them on loopback."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from bench.captchas import Answers
from bench.client import Connection
from bench.house import House
from bench.login import Person, Place, log_in
from bench.measures import Crowded, Target, answering, target
from bench.page_floor import PageShape
from bench.peer import PEER, Peer, install
from bench.processes import Measured
from bench.shape import Shape, shape_of
from tests.support.postgres import PostgresServer
from tests.support.processes import free_port
from tests.support.redis import RedisServer

MEMBERS: Final = 400
"""An account may be tried ten times in a quarter of an hour from browsers it does not know: as many rushes of half of
them as that allows, and more than are made."""


class Backends(NamedTuple):
    """The stores of servers that are several."""

    postgres: PostgresServer
    redis: RedisServer

    @property
    def names(self) -> list[str]:
        """What they are."""
        return [f"{server.backend.name} {'.'.join(map(str, server.backend.version))}" for server in reversed(self)]


@contextlib.contextmanager
def backends(folder: Path) -> Iterator[Backends]:
    with contextlib.ExitStack() as stack:
        # A folder of its own: the database's user has to be let in, and into nothing else.
        postgres = PostgresServer(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bjidp-bench-pg-"))))
        stack.callback(postgres.stop)
        (folder / "redis").mkdir()
        redis = RedisServer(folder / "redis")
        stack.callback(redis.stop)
        yield Backends(postgres, redis)


class Starter:
    """Starts processes, and ends them with the block they were started in."""

    def __init__(self, stack: contextlib.AsyncExitStack) -> None:
        self._stack = stack

    async def start(self, module: str, *arguments: str | Path) -> Measured:
        process = await Measured.start(module, *arguments)
        self._stack.push_async_callback(process.stop)
        return process

    async def peer(self, *arguments: str) -> Peer:
        place = Place(free_port())
        process = await Measured.run("node", PEER / "server.js", str(place.port), *arguments)
        self._stack.push_async_callback(process.stop)
        return Peer(process, place)

    async def serve(self, house: House, *arguments: Path, members: int = 0, relying_party: bool = False) -> Target:
        """Register the people of a house, enrol its first ``members`` and start its server."""
        people = await house.people()
        await house.members(range(members))
        if relying_party:
            await house.relying_party()
        started = target(await self.start("bench.server", house.settings, *arguments), house.place, people)
        await answering(house.place)
        return started


class QrServers(NamedTuple):
    """For logins by QR. Those that hold a crowd of pages are processes of their own."""

    floor: Target
    embedded: Target
    scaled: Target
    floor_crowd: Crowded
    embedded_crowd: Crowded


@contextlib.asynccontextmanager
async def qr_servers(folder: Path, stores: Backends) -> AsyncIterator[QrServers]:
    async with contextlib.AsyncExitStack() as stack:
        starter = Starter(stack)
        embedded = await starter.serve(_embedded(folder, "embedded"))
        scaled = await starter.serve(_scaled(folder, "scaled", stores))
        crowded = await starter.serve(_embedded(folder, "crowd"))
        shape = folder / "shape.json"
        shape.write_text(json.dumps((await _one_login(embedded))._asdict()), encoding="utf-8")
        floors: list[Target] = []
        for _ in range(2):
            place = Place(free_port())
            process = await starter.start("bench.floor", shape, str(place.port))
            floors.append(target(process, place, [Person("none", "127.0.0.1")]))
        crowds = [
            Crowded(each, await starter.start("bench.crowd", str(each.place.port))) for each in (floors[1], crowded)
        ]
        yield QrServers(floors[0], embedded, scaled, *crowds)


class TokenServers(NamedTuple):
    """For what relying parties ask, ours and the provider beside it, each on two kinds of storage."""

    embedded: Target
    scaled: Target
    memory: Peer
    redis: Peer


@contextlib.asynccontextmanager
async def token_servers(folder: Path, stores: Backends) -> AsyncIterator[TokenServers]:
    async with contextlib.AsyncExitStack() as stack:
        starter = Starter(stack)
        own = [
            await starter.serve(house, relying_party=True)
            for house in (_embedded(folder, "tokens"), _scaled(folder, "tokens_scaled", stores))
        ]
        install()
        peers = [await starter.peer(), await starter.peer(stores.redis.fresh_url())]
        yield TokenServers(own[0], own[1], peers[0], peers[1])


class PageServers(NamedTuple):
    """For pages with forms; the floor is started once it is known what they look like."""

    embedded: Target
    scaled: Target
    starter: Starter
    folder: Path


@contextlib.asynccontextmanager
async def page_servers(folder: Path, stores: Backends) -> AsyncIterator[PageServers]:
    async with contextlib.AsyncExitStack() as stack:
        starter = Starter(stack)
        embedded = await starter.serve(_embedded(folder, "pages"))
        scaled = await starter.serve(_scaled(folder, "pages_scaled", stores))
        yield PageServers(embedded, scaled, starter, folder)


async def page_floor(starter: Starter, folder: Path, shapes: dict[str, PageShape]) -> Target:
    """Start the floor of pages that look like ``shapes``."""
    path, place = folder / "pages.json", Place(free_port())
    path.write_text(json.dumps({name: shape._asdict() for name, shape in shapes.items()}), encoding="utf-8")
    return target(await starter.start("bench.page_floor", path, str(place.port)), place, [])


class FormServers(NamedTuple):
    """For forms that ask for a captcha, a password or a code."""

    server: Target
    answers: Answers
    sandbox: Place
    rush: Measured
    starter: Starter
    folder: Path


@contextlib.asynccontextmanager
async def form_servers(folder: Path, *, known: int = 0) -> AsyncIterator[FormServers]:
    """Start a server that :data:`MEMBERS` members and ``known`` more have accounts on."""
    async with contextlib.AsyncExitStack() as stack:
        starter = Starter(stack)
        sandbox = Place(free_port())
        house = _embedded(folder, "forms", sandbox=f"http://{sandbox.host}")
        await starter.start("bench.outside", str(sandbox.port), f"http://{house.place.host}")
        server = await starter.serve(house, house.answers, members=MEMBERS + known)
        yield FormServers(
            server=server,
            answers=Answers(house.answers),
            sandbox=sandbox,
            rush=await starter.start("bench.rush", str(house.place.port), house.answers, str(MEMBERS)),
            starter=starter,
            folder=folder,
        )


def _embedded(folder: Path, name: str, *, sandbox: str | None = None) -> House:
    return House(folder / name, free_port(), f"sqlite:///{folder / name}.sqlite", sandbox=sandbox)


def _scaled(folder: Path, name: str, stores: Backends) -> House:
    stores.postgres.create(name)
    return House(folder / name, free_port(), stores.postgres.url(name), stores.redis.fresh_url())


async def _one_login(at: Target) -> Shape:
    browser, phone = await Connection.to(at.place.port), await Connection.to(at.place.port)
    login = await log_in(at.place, next(at.people), browser, phone)
    browser.close()
    phone.close()
    return shape_of(login)
