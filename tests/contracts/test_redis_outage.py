"""What the Redis stores promise when Redis is gone, silent, full or back again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis import Redis

from bjidp.clock import MINUTE
from bjidp.entropy import SeededEntropy
from bjidp.errors import StoreUnavailable
from bjidp.storage.redis.catalog import RedisStores, open_redis
from bjidp.storage.redis.lane import Lane
from bjidp.throttle.ports import per_minute
from tests.contracts.ephemeral import Note
from tests.support.qr import a_flow, a_ticket, ticket_id
from tests.support.redis import RedisServer

DEADLINE = 0.5
"""Seconds the stores are given for an answer in these tests."""

MARGIN = 1.5
"""Seconds on top, for a machine that is busy."""


@pytest.fixture
def server(own_redis: Callable[..., RedisServer]) -> RedisServer:
    return own_redis()


@pytest.fixture
async def stores(server: RedisServer, entropy: SeededEntropy) -> AsyncIterator[RedisStores]:
    opened = await open_redis(server.url(), entropy=entropy, deadline=DEADLINE)
    yield opened
    await opened.close()


def _calls(stores: RedisStores) -> dict[str, Callable[[], Awaitable[object]]]:
    notes = stores.records("note", Note)
    flow = a_flow(a_ticket())
    return {
        "records.add": lambda: notes.add("a", Note("a"), MINUTE),
        "records.get": lambda: notes.get("a"),
        "records.replace": lambda: notes.replace("a", Note("a"), 1),
        "records.take": lambda: notes.take("a"),
        "tickets.now": stores.tickets.now,
        "tickets.add": lambda: stores.tickets.add(flow, MINUTE),
        "tickets.read": lambda: stores.tickets.read("flow"),
        "tickets.find": lambda: stores.tickets.find(ticket_id("first")),
        "tickets.replace": lambda: stores.tickets.replace(flow, 1, MINUTE),
        "throttle.hit": lambda: stores.throttle.hit("key", per_minute(5)),
        "throttle.peek": lambda: stores.throttle.peek("key", per_minute(5)),
        "signals.publish": lambda: stores.signals.publish("another", "flow"),
        "ping": stores.ping,
    }


async def _back(stores: RedisStores) -> None:
    """Return once the stores answer again."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await stores.ping()
            except StoreUnavailable:
                await asyncio.sleep(0.01)


@pytest.mark.attack("O5")
async def test_every_call_on_a_dead_server_is_refused_in_bounded_time(server: RedisServer, stores: RedisStores) -> None:
    server.stop()
    for call in _calls(stores).values():
        with pytest.raises(StoreUnavailable):
            async with asyncio.timeout(DEADLINE + MARGIN):
                await call()


@pytest.mark.attack("O5")
async def test_every_call_on_a_silent_server_is_refused_in_bounded_time(
    server: RedisServer, stores: RedisStores
) -> None:
    server.process.signal(signal.SIGSTOP)
    try:
        calls = [call() for call in _calls(stores).values()]
        async with asyncio.timeout(DEADLINE + MARGIN):
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    finally:
        server.process.signal(signal.SIGCONT)
    await _back(stores)


async def test_a_connection_that_swallows_everything_is_given_up(server: RedisServer, entropy: SeededEntropy) -> None:
    """A way that lost its other end takes bytes and answers none; the next call goes another way."""
    swallowing = False
    pumps: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        doomed = False
        try:
            while data := await reader.read(65536):
                doomed = doomed or swallowing
                if not doomed:
                    writer.write(data)
        finally:
            writer.close()
            await writer.wait_closed()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection("127.0.0.1", server.port)
        pumps.update(asyncio.create_task(pump(*ends)) for ends in ((reader, questions), (answers, writer)))

    way = await asyncio.start_server(relay, "127.0.0.1", 0)
    port = way.sockets[0].getsockname()[1]
    stores = await open_redis(f"redis://127.0.0.1:{port}/0", entropy=entropy, deadline=DEADLINE)
    swallowing = True
    with pytest.raises(StoreUnavailable):
        await stores.ping()
    swallowing = False
    await _back(stores)
    await stores.close()
    way.close()
    for task in pumps:
        task.cancel()
    await asyncio.gather(*pumps, return_exceptions=True)


async def test_a_server_that_dies_while_many_wait_answers_all_of_them(server: RedisServer, stores: RedisStores) -> None:
    server.process.signal(signal.SIGSTOP)
    waiting = [asyncio.create_task(stores.tickets.read("flow")) for _ in range(100)]
    await asyncio.sleep(0)
    server.process.signal(signal.SIGKILL)
    async with asyncio.timeout(DEADLINE + MARGIN):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}


async def test_the_stores_recover_without_a_restart(server: RedisServer, stores: RedisStores) -> None:
    await stores.records("note", Note).add("a", Note("a"), MINUTE)
    server.stop()
    with pytest.raises(StoreUnavailable):
        await stores.ping()
    server.start_again()
    await _back(stores)
    notes = stores.records("note", Note)
    assert await notes.get("a") is None  # nothing was kept on disk
    await notes.add("a", Note("a"), MINUTE)
    assert await notes.take("a") == Note("a")
    await stores.tickets.add(a_flow(a_ticket()), MINUTE)
    assert await stores.tickets.find(ticket_id("first")) is not None


async def test_callers_during_an_outage_share_the_attempts_to_connect(
    server: RedisServer, stores: RedisStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0
    server.stop()
    connect = stores._link._connect

    async def counted(deadline: float) -> Lane:
        nonlocal attempts
        attempts += 1
        return await connect(deadline)

    monkeypatch.setattr(stores._link, "_connect", counted)
    outcomes = await asyncio.gather(*(stores.ping() for _ in range(500)), return_exceptions=True)
    for _ in range(500):
        outcomes += await asyncio.gather(stores.ping(), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    # The pauses double, so that there are a handful in the longest of runs.
    assert attempts <= 6


async def test_a_server_that_is_full_refuses_what_it_cannot_keep(
    own_redis: Callable[..., RedisServer], entropy: SeededEntropy
) -> None:
    server = own_redis("--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
    stores = await open_redis(server.url(), entropy=entropy, deadline=DEADLINE)
    notes = stores.records("note", Note)
    await notes.add("kept", Note("a"), MINUTE)

    async def fill() -> None:
        for turn in range(1000):
            await notes.add(str(turn), Note("x" * 10_000), MINUTE)

    with pytest.raises(StoreUnavailable):
        await fill()
    assert await notes.get("kept") is not None
    await stores.close()


async def test_a_server_that_is_not_there_fails_the_start(entropy: SeededEntropy, server: RedisServer) -> None:
    server.stop()
    with pytest.raises(StoreUnavailable):
        async with asyncio.timeout(DEADLINE + MARGIN):
            await open_redis(server.url(), entropy=entropy, deadline=DEADLINE)


@pytest.mark.req("LOG-2")
async def test_after_a_break_every_listener_is_woken_once(server: RedisServer, stores: RedisStores) -> None:
    woken: list[str] = []
    everybody = asyncio.Event()

    def wake(name: str) -> None:
        woken.append(name)
        if len(woken) == 3:
            everybody.set()

    for name in ("a", "b", "c"):
        stores.signals.subscribe(f"flow-{name}", lambda name=name: wake(name))  # type: ignore[misc]
    with Redis.from_url(server.url()) as redis:
        assert redis.client_kill_filter(_type="pubsub") == 1
    async with asyncio.timeout(10):
        await everybody.wait()
    # A signal that is sent now comes after whatever the break brought with it.
    last = asyncio.Event()
    stores.signals.subscribe("last", last.set)
    with Redis.from_url(server.url()) as redis:
        redis.publish(f"bjidp:inbox:{{{stores.signals.inbox}}}", "last")
    async with asyncio.timeout(10):
        await last.wait()
    assert sorted(woken) == ["a", "b", "c"]


async def test_a_signal_lost_in_an_outage_is_made_good_when_the_server_is_back(
    server: RedisServer, stores: RedisStores
) -> None:
    woken = asyncio.Event()
    stores.signals.subscribe("flow", woken.set)
    server.stop()
    with pytest.raises(StoreUnavailable):
        await stores.signals.publish("another", "flow")
    server.start_again()
    async with asyncio.timeout(10):
        await woken.wait()
    woken.clear()
    with Redis.from_url(server.url()) as redis:
        redis.publish(f"bjidp:inbox:{{{stores.signals.inbox}}}", "flow")
    async with asyncio.timeout(10):
        await woken.wait()


async def test_a_connection_that_went_silent_is_noticed(server: RedisServer, entropy: SeededEntropy) -> None:
    """A peer that vanished without a word (a firewall's doing) never closes the connection: only asking tells."""
    stores = await open_redis(server.url(), entropy=entropy, silence=0.1)
    woken = asyncio.Event()
    stores.signals.subscribe("flow", woken.set)
    server.process.signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            while stores.signals.listening:  # noqa: ASYNC110 - seen from outside, as a health check does
                await asyncio.sleep(0.01)
    finally:
        server.process.signal(signal.SIGCONT)
    async with asyncio.timeout(10):
        await woken.wait()
    await stores.close()
