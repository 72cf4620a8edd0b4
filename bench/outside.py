"""The outside services of servers that send messages: the sandbox, in a process of its own.

``python -m bench.outside PORT SERVER``; ``SERVER`` is the address of the one that uses them. It ends when its standard
input is closed.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import web

from bench.probe import say
from bjidp.commands.log import log_to_stderr
from bjidp.sandbox.app import build
from bjidp.sandbox.clock import SystemClock
from bjidp.sandbox.credentials import default_credentials
from bjidp.sandbox.entropy import SystemEntropy
from bjidp.sandbox.settings import SandboxSettings


async def _run(port: int, server: str) -> None:
    settings = SandboxSettings(
        clock=SystemClock(),
        entropy=SystemEntropy(),
        credentials=default_credentials(None),
        base_url=f"http://127.0.0.1:{port}",
        server_url=server,
    )
    runner = web.AppRunner(build(settings), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    closed = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(closed), sys.stdin)
    say("ready")
    await closed.read()
    await runner.cleanup()


if __name__ == "__main__":
    log_to_stderr()
    uvloop.run(_run(int(sys.argv[1]), sys.argv[2]))
