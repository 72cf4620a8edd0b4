"""One connection: what is written to it, who gets which reply, and when it hangs up."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from hiredis import ReplyError

from bjidp.errors import StoreUnavailable
from bjidp.storage.redis.lane import Lane


class Line:
    """A transport that keeps what is written."""

    def __init__(self, lane: Lane) -> None:
        self.written: list[bytes] = []
        self._lane = lane

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def abort(self) -> None:
        asyncio.get_running_loop().call_soon(self._lane.connection_lost, None)


def _opened() -> tuple[Lane, Line]:
    lane = Lane(30)
    line = Line(lane)
    lane.connection_made(cast("asyncio.BaseTransport", line))
    return lane, line


async def test_what_is_asked_in_one_turn_of_the_loop_leaves_in_one_write_and_in_order() -> None:
    lane, line = _opened()
    answers = [lane.ask(("GET", str(number))) for number in range(3)]
    await asyncio.sleep(0)
    assert line.written == [b"".join(b"*2\r\n$3\r\nGET\r\n$1\r\n%d\r\n" % number for number in range(3))]
    lane.data_received(b"+a\r\n+b\r\n+c\r\n")
    assert await asyncio.gather(*answers) == [b"a", b"b", b"c"]
    await lane.close()


async def test_a_reply_in_pieces_is_one_reply() -> None:
    lane, _ = _opened()
    first, second = lane.ask(("GET", "a")), lane.ask(("GET", "b"))
    for octet in b"$5\r\nhello\r\n:7\r\n":
        lane.data_received(bytes((octet,)))
    assert await first == b"hello"
    assert await second == 7
    await lane.close()


async def test_the_reply_of_a_caller_that_gave_up_goes_to_nobody() -> None:
    lane, _ = _opened()
    given_up, kept = lane.ask(("GET", "a")), lane.ask(("GET", "b"))
    given_up.cancel()
    lane.data_received(b"+a\r\n+b\r\n")
    assert await kept == b"b"
    await lane.close()


async def test_what_the_server_refuses_is_the_reply_of_its_caller_alone() -> None:
    lane, _ = _opened()
    refused, kept = lane.ask(("GET", "a")), lane.ask(("GET", "b"))
    lane.data_received(b"-WRONGTYPE of key\r\n+b\r\n")
    assert isinstance(await refused, ReplyError)
    assert await kept == b"b"
    assert not lane.broken
    await lane.close()


@pytest.mark.parametrize("said", [b"!nonsense\r\n", b"+one\r\n+too many\r\n"])
async def test_a_server_that_talks_nonsense_is_hung_up_on(said: bytes) -> None:
    lane, _ = _opened()
    asked = lane.ask(("PING",))
    lane.data_received(said)
    assert lane.broken
    with pytest.raises(StoreUnavailable):
        await lane.ask(("PING",))
    await lane.close()
    await asyncio.gather(asked, return_exceptions=True)


async def test_a_server_that_is_no_primary_any_more_is_left_and_those_who_wait_are_refused() -> None:
    lane, _ = _opened()
    refused, waiting = lane.ask(("SET", "a", "1")), lane.ask(("SET", "b", "1"))
    lane.data_received(b"-READONLY You can't write against a read only replica.\r\n")
    assert isinstance(await refused, ReplyError)
    with pytest.raises(StoreUnavailable):
        await waiting
    with pytest.raises(StoreUnavailable):
        await lane.ask(("PING",))


async def test_a_lane_that_breaks_refuses_those_who_wait_and_says_nothing_to_those_who_left() -> None:
    lane, _ = _opened()
    given_up, waiting = lane.ask(("GET", "a")), lane.ask(("GET", "b"))
    given_up.cancel()
    lane.connection_lost(None)
    with pytest.raises(StoreUnavailable):
        await waiting
    assert given_up.cancelled()


async def test_a_server_that_leaves_one_command_unanswered_is_given_up() -> None:
    lane = Lane(0.05)
    lane.connection_made(cast("asyncio.BaseTransport", Line(lane)))
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable):
            await lane.ask(("PING",))
    assert lane.broken
