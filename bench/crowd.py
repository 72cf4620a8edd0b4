"""Pages that wait: one process that opens them, keeps them open and does nothing else.

``python -m bench.crowd PORT``. Told ``open N`` it opens N more, each from an address of its own, and answers once each
shows a ticket.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Final

import uvloop

from bench.client import Connection
from bench.login import Place, Waiting, open_page
from bench.probe import say

TOGETHER: Final = 16


class Crowd:
    """Pages on one server."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._pages: list[Waiting] = []
        self._next = 0

    async def open(self, count: int) -> None:
        """Open ``count`` more pages."""
        end = self._next + count
        await asyncio.gather(*(self._open_until(end) for _ in range(TOGETHER)))

    def closed(self) -> int:
        """Return how many pages do not wait any more."""
        return sum(page.socket.closed is not None for page in self._pages)

    async def _open_until(self, end: int) -> None:
        http = await Connection.to(self._place.port)
        while self._next < end:
            number, self._next = self._next, self._next + 1
            _, page, _ = await open_page(self._place, http, f"10.{128 + number // 250}.{number % 250}.9")
            self._pages.append(page)
        http.close()


async def _run(port: int) -> None:
    crowd = Crowd(Place(port))
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    say("ready")
    while order := (await orders.readline()).decode().split():
        match order:
            case ["open", count]:
                await crowd.open(int(count))
                say("open")
            case ["closed"]:
                say(str(crowd.closed()))
            case _:
                raise ValueError(order)
    os._exit(0)  # thousands of sockets are closed faster by the kernel than by a farewell


if __name__ == "__main__":
    uvloop.run(_run(int(sys.argv[1])))
