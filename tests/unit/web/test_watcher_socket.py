"""One socket's writing side, with the clock of the loop in the test's hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import cast
from unittest.mock import Mock

import pytest
from aiohttp import WSMsgType, web
from structlog.testing import capture_logs

from bjidp.errors import StoreUnavailable
from bjidp.qrlogin.pages import End, Look
from bjidp.qrlogin.wire import ExpiredMessage, Message
from bjidp.web.qr.watcher_socket import PULSE, SILENCE, SLOW_FAREWELL, SLOW_READER, STORE_PAUSE, WatcherSocket
from tests.support.program import LoopTime

LONG = 60.0
QUIET = Look((), None, LONG)


class Connection:
    """A page's connection: what was written to it, and whether its reader keeps up."""

    def __init__(self) -> None:
        self.written: list[dict[str, object]] = []
        self.closed: list[tuple[int, bytes]] = []
        self.reads = asyncio.Event()
        self.reads.set()

    async def send_frame(self, message: bytes, kind: WSMsgType) -> None:
        assert kind is WSMsgType.TEXT
        await self.reads.wait()
        self.written.append(json.loads(message))

    async def close(self, *, code: int, message: bytes = b"") -> None:
        self.closed.append((code, message))
        await self.reads.wait()


class Pages:
    """What the flow has to say: one look after the other, the last one for good."""

    def __init__(self, *looks: Look | Exception) -> None:
        self.looks = list(looks)
        self.looked = 0
        self.listening = False

    def subscribe(self, _: Callable[[], None]) -> Callable[[], None]:
        self.listening = True

        def stop() -> None:
            self.listening = False

        return stop

    async def look(self) -> Look:
        self.looked += 1
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        await asyncio.sleep(0)
        if isinstance(look, Exception):
            raise look
        return look


class Bench:
    """A socket under test."""

    def __init__(self, *looks: Look | Exception) -> None:
        self.time = LoopTime()
        self.connection = Connection()
        self.pages = Pages(*looks)
        # Of no class of asyncio's, as those of uvloop are.
        self.transport = Mock(spec_set=["abort", "get_write_buffer_size"])
        self.transport.get_write_buffer_size.return_value = 0
        self.socket = WatcherSocket(
            cast("web.WebSocketResponse", self.connection), self.pages.subscribe, self.pages.look, self.transport
        )

    async def passes(self, seconds: float) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        self.time.skip(seconds)
        await asyncio.sleep(0.003)
        for _ in range(10):
            await asyncio.sleep(0)


def told(seq: int) -> tuple[Message, ...]:
    return (ExpiredMessage("A" * 22, seq, renewed=False),)


async def test_however_many_signals_arrive_one_look_follows_the_one_under_way() -> None:
    bench = Bench(Look(told(1), None, LONG), QUIET)
    for _ in range(50):
        bench.socket.wake()
    await bench.passes(0)
    assert bench.pages.looked == 2
    bench.socket.wake()
    await asyncio.sleep(0)
    for _ in range(50):
        bench.socket.wake()
    await bench.passes(0)
    assert bench.pages.looked == 4
    assert [message["seq"] for message in bench.connection.written] == [1]
    bench.socket.stop()


async def test_the_first_look_is_taken_by_whoever_begins_and_signals_meanwhile_lead_to_another() -> None:
    bench = Bench(Look(told(1), None, LONG), QUIET)
    beginning = asyncio.ensure_future(bench.socket.begin())
    await asyncio.sleep(0)
    bench.socket.wake()
    bench.socket.wake()
    await beginning
    assert [message["seq"] for message in bench.connection.written] == [1]
    await bench.passes(0)
    assert bench.pages.looked == 2
    bench.socket.stop()


async def test_alive_is_counted_from_the_last_message() -> None:
    bench = Bench(QUIET, Look(told(1), None, LONG), QUIET)
    bench.socket.wake()
    await bench.passes(SILENCE / 2)
    bench.socket.wake()
    await bench.passes(SILENCE - 1)
    assert [message["type"] for message in bench.connection.written] == ["expired"]
    await bench.passes(1 + PULSE)
    assert bench.connection.written[-1] == {"type": "alive"}
    bench.socket.stop()


async def test_the_clocks_next_turn_is_looked_at_when_it_comes() -> None:
    bench = Bench(Look((), None, 7.0), Look(told(1), None, LONG), QUIET)
    bench.socket.wake()
    await bench.passes(6.9)
    assert bench.connection.written == []
    await bench.passes(0.2)
    assert len(bench.connection.written) == 1
    bench.socket.stop()


@pytest.mark.attack("W9")
async def test_a_page_that_reads_too_slowly_is_cut_off() -> None:
    bench = Bench(Look(told(1), None, LONG))
    bench.connection.reads.clear()
    bench.transport.get_write_buffer_size.return_value = 1
    bench.socket.wake()
    await bench.passes(SLOW_READER - 1)
    bench.transport.abort.assert_not_called()
    await bench.passes(1)
    bench.transport.abort.assert_called_once()
    bench.socket.stop()


async def test_a_store_that_fails_is_asked_again_after_a_pause() -> None:
    bench = Bench(StoreUnavailable(), StoreUnavailable(), Look(told(1), None, LONG), QUIET)
    bench.socket.wake()
    await bench.passes(0)
    await bench.passes(STORE_PAUSE - 1)
    assert bench.pages.looked == 1
    await bench.passes(1)
    assert bench.pages.looked == 2
    await bench.passes(STORE_PAUSE)
    assert len(bench.connection.written) == 1
    assert bench.connection.closed == []
    bench.socket.stop()


@pytest.mark.parametrize("end", list(End))
async def test_what_was_left_to_say_is_said_before_the_end(end: End) -> None:
    bench = Bench(Look(told(1), end))
    bench.socket.wake()
    await bench.passes(0)
    assert len(bench.connection.written) == 1
    assert bench.connection.closed == [(end.value, b"")]
    bench.socket.wake()
    await bench.passes(60)
    assert bench.pages.looked == 1


async def test_a_stopped_socket_listens_and_looks_no_more() -> None:
    bench = Bench(QUIET)
    bench.socket.wake()
    await bench.passes(0)
    bench.socket.stop()
    bench.socket.wake()
    await bench.passes(60)
    assert bench.pages.looked == 1
    assert not bench.pages.listening
    assert bench.connection.written == []


@pytest.mark.attack("Q24")
async def test_a_look_that_fails_for_no_known_reason_sends_the_page_back_and_tells_no_text() -> None:
    bench = Bench(LookupError("张三 110101199003070011"))
    with capture_logs() as logs:
        bench.socket.wake()
        await bench.passes(0)
    assert bench.connection.closed == [(1012, b"")]
    (line,) = logs
    assert (line["event"], line["log_level"], line["kind"]) == ("look_failed", "error", "LookupError")
    assert "look" in str(line["places"])
    assert "张三" not in str(line)
    bench.socket.wake()
    await bench.passes(60)
    assert bench.pages.looked == 1
    bench.socket.stop()


@pytest.mark.attack("W9")
async def test_a_page_that_does_not_let_itself_be_closed_is_cut_off() -> None:
    bench = Bench(QUIET)
    bench.connection.reads.clear()
    closing = asyncio.create_task(bench.socket.close(1012))
    await bench.passes(SLOW_FAREWELL - 1)
    bench.transport.abort.assert_not_called()
    await bench.passes(1)
    bench.transport.abort.assert_called_once()
    closing.cancel()
    bench.socket.stop()
