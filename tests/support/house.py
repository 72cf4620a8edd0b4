"""Servers of one test's own, configured otherwise than the demo, with the sandbox beside them in the test's loop.

For what the one demo cannot show: short deadlines, another rule for the reverse code, several processes on Redis and
PostgreSQL. The configuration is the demo's with other addresses, so that nothing of it is written down twice.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import sys
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer

from bjidp.sandbox.app import build
from bjidp.sandbox.clock import SystemClock
from bjidp.sandbox.credentials import default_credentials
from bjidp.sandbox.entropy import SystemEntropy
from bjidp.sandbox.settings import SandboxSettings
from tests.support.demo import PATIENCE, Demo
from tests.support.processes import Process, free_port

Section = Mapping[str, object]


@dataclass(frozen=True)
class House:
    """Running servers that share one base URL, and the sandbox whose phone talks to the last of them."""

    server: str
    sandbox: str
    processes: Sequence[Process]
    addresses: Sequence[str]
    """Where each of the processes listens."""


@asynccontextmanager
async def open_house(
    demo: Demo,
    folder: Path,
    *,
    servers: int = 1,
    settings: Mapping[str, Section] | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[House]:
    """Run ``servers`` server processes, started as the demo starts its own, and a sandbox.

    ``settings`` are sections of the configuration that differ from the demo's.
    """
    ports = [free_port() for _ in range(servers)]
    base = f"http://127.0.0.1:{ports[0]}"
    async with AsyncExitStack() as stack:
        sandbox = TestServer(
            build(
                SandboxSettings(
                    clock=SystemClock(),
                    entropy=SystemEntropy(),
                    credentials=default_credentials(demo.data / "sandbox"),
                    base_url="http://127.0.0.1",
                    server_url=f"http://127.0.0.1:{ports[-1]}",
                    server_host=base.removeprefix("http://"),
                )
            ),
            host="127.0.0.1",
        )
        await stack.enter_async_context(sandbox)
        address = str(sandbox.make_url("/")).rstrip("/")
        processes = []
        for port in ports:
            config = write_config(
                demo,
                folder / f"server-{port}.toml",
                {demo.server: base, demo.sandbox: address},
                {
                    "server": {"listen_port": port},
                    "storage": {"database_url": f"sqlite:///{folder / 'house.sqlite'}"},
                },
                settings or {},
            )
            process = serve(config, folder / f"server-{port}.log", environment, sandbox=address)
            stack.callback(process.stop)
            processes.append(process)
            # One after the other: the first to start brings the database up to date.
            await asyncio.to_thread(process.wait_until, partial(is_ready, port, base), PATIENCE)
        yield House(base, address, processes, [f"http://127.0.0.1:{port}" for port in ports])


def serve(
    config: Path, log: Path, environment: Mapping[str, str] | None = None, *, sandbox: str | None = None
) -> Process:
    """Start one ``bjidp serve``; ``environment`` are variables it has beside those of this run.

    With ``sandbox`` it is the server of a demonstration, which tells the one at that address what its captchas show.
    """
    program = ["bjidp", "serve"] if sandbox is None else ["bjidp.demo.server", "--sandbox", sandbox]
    return Process(
        [sys.executable, "-m", *program, "--config", config],
        log=log,
        environment={**os.environ, **(environment or {})},
    )


def write_config(demo: Demo, path: Path, addresses: Mapping[str, str], *changes: Mapping[str, Section]) -> Path:
    """Write the demo's configuration to ``path`` with other addresses and other settings; None takes one away."""
    text = demo.config.read_text(encoding="utf-8")
    for old, new in addresses.items():
        text = text.replace(old, new)
    table: dict[str, Any] = tomllib.loads(text)
    for change in changes:
        for name, section in change.items():
            kept = {**table.get(name, {}), **section}
            table[name] = {field: value for field, value in kept.items() if value is not None}
    lines: list[str] = []
    for name, section in table.items():
        lines += [f"[{name}]", *(f"{field} = {_toml(value, demo.data)}" for field, value in section.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def is_ready(port: int, base: str) -> bool:
    """Tell whether the server behind a port says that it is ready."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ready", headers={"Host": base.removeprefix("http://")})
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _toml(value: object, beside: Path) -> str:
    if isinstance(value, dict):
        if set(value) == {"file"}:
            # Secrets in files lie beside the demo's own configuration.
            value = {"file": str(beside / value["file"])}
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(item, beside)}" for key, item in value.items()) + " }"
    # Text, numbers, true and false, and lists of these are written in TOML 1.0 as in JSON.
    return json.dumps(value, ensure_ascii=False)
