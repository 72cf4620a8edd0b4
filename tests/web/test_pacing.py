"""Many pages asked for at one moment: the event loop answers a few in each pass."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from bjidp.web.http.pacing import EACH
from tests.support.program import Program


async def test_pages_asked_for_at_one_moment_are_answered_in_turns(program: Program) -> None:
    lines = [await program.line() for _ in range(16)]
    request = f"GET /h5/login HTTP/1.1\r\nHost: {program.deployments[0].authority}\r\n\r\n".encode()
    made = [0]

    async def look_in_each_pass() -> None:
        while True:
            made.append(program.meddler.calls["browsers.add"])
            await asyncio.sleep(0)

    looking = asyncio.create_task(look_in_each_pass())
    for line in lines:
        await line.say(request)
    answers = [await line.answer() for line in lines]
    looking.cancel()
    assert {answer.status for answer in answers} == {200}
    assert made[-1] == len(lines)
    assert max(after - before for before, after in pairwise(made)) == EACH
