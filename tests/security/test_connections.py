"""Connections that send nothing, too much, or what is no request at all (attacks W9, Q24)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.security.conftest import Own
from tests.support.calls import Caller, Deployment, Line, until
from tests.support.house import is_ready, write_config
from tests.support.processes import Process, free_port

SECRET: Final = "cookie-value-that-must-not-be-logged"
HEAD: Final = 10.0


@pytest.fixture
def cramped(home: Own, tmp_path: Path) -> Iterator[Deployment]:
    """A server that may have 256 files open, and that starts with 64."""
    port = free_port()
    at = f"http://127.0.0.1:{port}"
    config = write_config(
        home.demo,
        tmp_path / "cramped.toml",
        {home.demo.server: at},
        {"server": {"listen_port": port}, "storage": {"database_url": f"sqlite:///{tmp_path / 'cramped.sqlite'}"}},
    )
    few = 'ulimit -Sn 64 && ulimit -Hn 256 && exec "$@"'
    command: list[str | Path] = ["sh", "-c", few, "sh", sys.executable, "-m", "bjidp", "serve", "--config", config]
    server = Process(command, log=tmp_path / "cramped.log")
    try:
        server.wait_until(partial(is_ready, port, at), 60)
        yield Deployment(at, home.at.sandbox, at)
    finally:
        server.stop()


@pytest.mark.attack("W9")
async def test_a_crowd_of_silent_connections_keeps_nobody_out(cramped: Deployment) -> None:
    """One peer gets half of what the process may open, and what it gets is taken back after ten seconds."""
    lines = [await Line.open(cramped) for _ in range(300)]
    began = asyncio.get_running_loop().time()
    try:
        await until(lambda: refused(lines, 300 - 128), within=HEAD / 2)
        async with Caller(cramped, source="127.0.0.2") as other:
            answers = [await other.send("GET", "/login") for _ in range(20)]
        assert {answer.status for answer in answers} == {200}
        await asyncio.gather(*(line.rest() for line in lines))
        assert asyncio.get_running_loop().time() - began < HEAD + 5
        async with Caller(cramped) as same:
            assert (await same.send("GET", "/login")).status == 200
    finally:
        await asyncio.gather(*(line.close() for line in lines))


async def refused(lines: list[Line], least: int) -> bool:
    """Tell whether the server has hung up on so many of the lines."""
    return sum(line.ended for line in lines) >= least


@pytest.mark.attack("Q24", "Q27")
async def test_what_cannot_be_read_reaches_neither_the_log_nor_an_answer(home: Own) -> None:
    """The value of a header that is too long, broken or unknown is repeated nowhere."""
    for header in (
        f"Cookie: {SECRET}{'x' * 9000}",
        f"Cookie: {SECRET}\x01",
        f"Cookie: a,{SECRET}@=1",
        f"Expect: {SECRET}",
        f"{SECRET}\x00: 1",
    ):
        line = await Line.open(home.at)
        await line.say(f"GET /login HTTP/1.1\r\nHost: {home.at.authority}\r\n{header}\r\n\r\n".encode("latin-1"))
        answer = await line.answer()
        await line.close()
        assert SECRET not in repr(answer)
        assert answer.header("Server") in (None, "bjidp")
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.status == 200 or answer.verdict == (400, "invalid_request")
    log = home.demo.process.log.read_text()
    assert "request_unreadable" in log
    assert SECRET not in log
    assert "Traceback" not in log
