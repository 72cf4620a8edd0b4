"""People who log in by their passwords at one moment: a process that does nothing else.

``python -m bench.rush PORT ANSWERS MEMBERS``. Told ``prepare N`` it opens the page for N members, the next of
``MEMBERS`` in turn, and reads their captchas; told ``go`` it posts all their forms, each on a connection of its own,
and says how each was answered and after how long.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

import uvloop

from bench.captchas import Answers
from bench.client import Connection
from bench.forms import Visitor
from bench.house import PASSWORD, username
from bench.login import Place
from bench.probe import say

TOGETHER: Final = 16

PAGE: Final = "/h5/login?tab=password"
FORM: Final = "/h5/login"


class Rush:
    """People at one server."""

    def __init__(self, place: Place, answers: Answers, members: Iterator[int]) -> None:
        self._place = place
        self._answers = answers
        self._members = members
        self._ready: list[tuple[Connection, Visitor, bytes]] = []

    async def prepare(self, count: int) -> None:
        """Open a page for ``count`` members."""
        left = iter(list(itertools.islice(self._members, count)))
        await asyncio.gather(*(self._open_each(left) for _ in range(TOGETHER)))

    async def go(self) -> list[tuple[int, float]]:
        """Send every form; return each one's status and seconds."""
        ready, self._ready = self._ready, []
        begun = time.perf_counter()
        return await asyncio.gather(*(self._post(begun, *each) for each in ready))

    async def _open_each(self, members: Iterator[int]) -> None:
        for member in members:
            http = await Connection.to(self._place.port)
            visitor = Visitor(self._place, http, member, phone=True)
            await visitor.open(PAGE)
            typed = self._answers.of(visitor.captcha)
            form = visitor.posting(FORM, account=username(member), password=PASSWORD, captcha=typed, agreed="yes")
            self._ready.append((http, visitor, form))

    async def _post(self, begun: float, http: Connection, visitor: Visitor, form: bytes) -> tuple[int, float]:
        answer = await visitor.send(form, HTTPStatus.SEE_OTHER, HTTPStatus.SERVICE_UNAVAILABLE)
        seconds = time.perf_counter() - begun
        http.close()
        return answer.status, seconds


async def _run(port: int, answers: Path, members: int) -> None:
    rush = Rush(Place(port), Answers(answers), itertools.cycle(range(members)))
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    say("ready")
    while order := (await orders.readline()).decode().split():
        match order:
            case ["prepare", count]:
                await rush.prepare(int(count))
                say("prepared")
            case ["go"]:
                say(json.dumps(await rush.go()))
            case _:
                raise ValueError(order)
    os._exit(0)


if __name__ == "__main__":
    uvloop.run(_run(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
