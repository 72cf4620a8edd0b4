"""What every signal bus promises (``bjidp.signals.ports``)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.contracts.ephemeral import Processes

DEADLINE = 5.0


async def _heard(event: asyncio.Event) -> None:
    async with asyncio.timeout(DEADLINE):
        await event.wait()


async def test_a_signal_reaches_whoever_listens_to_its_topic(processes: Processes) -> None:
    woken = asyncio.Event()
    processes.here.signals.subscribe("flow", woken.set)
    await processes.there.signals.publish(processes.here.signals.inbox, "flow")
    await _heard(woken)


async def test_a_process_reaches_itself(processes: Processes) -> None:
    woken = asyncio.Event()
    processes.here.signals.subscribe("flow", woken.set)
    await processes.here.signals.publish(processes.here.signals.inbox, "flow")
    await _heard(woken)


async def test_other_topics_and_other_inboxes_stay_quiet(processes: Processes) -> None:
    calls: list[str] = []
    woken = asyncio.Event()
    bus, other = processes.here.signals, processes.there.signals
    bus.subscribe("other", lambda: calls.append("other topic"))
    bus.subscribe("flow", lambda: calls.append("flow"))
    bus.subscribe("last", woken.set)
    await other.publish("nobody", "flow")
    await other.publish(bus.inbox, "flow")
    # One connection keeps the order: once this has come, everything before it has come.
    await other.publish(bus.inbox, "last")
    await _heard(woken)
    assert calls == ["flow"]


async def test_every_listener_of_a_topic_is_woken(processes: Processes) -> None:
    events = [asyncio.Event() for _ in range(3)]
    for event in events:
        processes.here.signals.subscribe("flow", event.set)
    await processes.there.signals.publish(processes.here.signals.inbox, "flow")
    for event in events:
        await _heard(event)


async def test_who_stopped_is_woken_no_more_and_may_stop_again(processes: Processes) -> None:
    calls: list[None] = []
    woken = asyncio.Event()
    bus, other = processes.here.signals, processes.there.signals

    def called() -> None:
        calls.append(None)

    first = bus.subscribe("flow", called)
    bus.subscribe("flow", called)
    bus.subscribe("last", woken.set)
    first()
    first()
    await other.publish(bus.inbox, "flow")
    await other.publish(bus.inbox, "last")
    await _heard(woken)
    assert len(calls) == 1


async def test_a_listener_that_stops_while_it_is_woken_harms_nobody(processes: Processes) -> None:
    woken = asyncio.Event()
    stops: list[Callable[[], None]] = []

    def stop() -> None:
        stops[0]()

    stops.append(processes.here.signals.subscribe("flow", stop))
    processes.here.signals.subscribe("flow", woken.set)
    await processes.there.signals.publish(processes.here.signals.inbox, "flow")
    await _heard(woken)


async def test_a_listener_that_fails_harms_nobody(processes: Processes) -> None:
    woken = asyncio.Event()

    def fail() -> None:
        raise RuntimeError

    processes.here.signals.subscribe("flow", fail)
    processes.here.signals.subscribe("flow", woken.set)
    for _ in range(2):
        await processes.there.signals.publish(processes.here.signals.inbox, "flow")
        await _heard(woken)
        woken.clear()


async def test_a_topic_is_carried_as_it_is(processes: Processes) -> None:
    topics = ["a b", "流程", "x" * 500, "-_"]
    events = [asyncio.Event() for _ in topics]
    for topic, event in zip(topics, events, strict=True):
        processes.here.signals.subscribe(topic, event.set)
    for topic in topics:
        await processes.there.signals.publish(processes.here.signals.inbox, topic)
    for event in events:
        await _heard(event)


@pytest.mark.parametrize("publishes_at", range(4))
@pytest.mark.parametrize("writes_at", range(4))
@pytest.mark.req("LOG-2")
async def test_who_subscribes_then_reads_then_waits_misses_nothing(
    processes: Processes, writes_at: int, publishes_at: int
) -> None:
    """The write and its signal fall at every point of the reader's three steps."""
    publishes_at = max(publishes_at, writes_at)  # a signal is sent once the write has happened, never before
    written = False
    woken = asyncio.Event()
    bus, other = processes.here.signals, processes.there.signals

    async def write() -> None:
        nonlocal written
        written = True

    async def publish() -> None:
        await other.publish(bus.inbox, "flow")

    acts: list[tuple[int, Callable[[], Awaitable[None]]]] = [(writes_at, write), (publishes_at, publish)]

    async def meanwhile(point: int) -> None:
        for when, act in acts:
            if when == point:
                await act()

    await meanwhile(0)
    bus.subscribe("flow", woken.set)
    await meanwhile(1)
    seen = written
    await meanwhile(2)
    waiting = asyncio.create_task(_heard(woken))
    await asyncio.sleep(0)
    await meanwhile(3)
    if seen:
        waiting.cancel()
    else:
        await waiting
        seen = written
    assert seen
