"""Several processes: what becomes of those that fail, die or do not want to end."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bjidp.serving.supervising import Patience, Supervisor, WorkerFailed, supervise
from tests.support.processes import is_running

SERVE = "import os, signal, sys; os.write(int(sys.argv[1]), b'.'); "
"""What a worker does first; the rest of a script is what it does then."""
QUICK = Patience(first=0.01, longest=0.04, settled=3600, drain=10)
IN_TIME = 20


class Scripts:
    """Workers that are small scripts: the first runs the first one, and so on; the last one is run again and again."""

    def __init__(self, *scripts: str, then: Callable[[int], None] = lambda _: None) -> None:
        self.started = 0
        self._scripts = scripts
        self._then = then

    def __call__(self, told: int) -> Sequence[str]:
        script = self._scripts[min(self.started, len(self._scripts) - 1)]
        self.started += 1
        self._then(self.started)
        return [sys.executable, "-I", "-S", "-c", script, str(told)]


@asynccontextmanager
async def reports(path: Path) -> AsyncIterator[asyncio.StreamReader]:
    """Make a pipe with a name, for scripts to write lines to; return its end."""
    os.mkfifo(path)
    reader = asyncio.StreamReader()
    # Opened for both, so that it neither waits for the first writer nor ends with the last.
    pipe = os.fdopen(os.open(path, os.O_RDWR), "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    try:
        yield reader
    finally:
        transport.close()


def says(path: Path, text: str) -> str:
    """Return the part of a script that reports a line."""
    return f"open({str(path)!r}, 'w').write(f'{text}\\n')"


@pytest.mark.req("OPS-3")
@pytest.mark.parametrize("code", [1, 2, 7])
async def test_a_worker_that_never_serves_ends_the_others_and_its_code_is_told(tmp_path: Path, code: int) -> None:
    path, gate = tmp_path / "reports", tmp_path / "gate"
    os.mkfifo(gate)
    scripts = Scripts(
        f"{SERVE}{says(path, '{os.getpid()}')}; open({str(gate)!r}, 'w'); signal.pause()",
        # Waits for the other to serve, so that there is one to end.
        f"import sys; open({str(gate)!r}); sys.exit({code})",
    )
    async with asyncio.timeout(IN_TIME), reports(path) as reported:
        with pytest.raises(WorkerFailed) as caught:
            await supervise(scripts, 2, asyncio.Event(), QUICK)
        assert caught.value.code == code
        assert scripts.started == 2
        assert not is_running(int(await reported.readline()))


@pytest.mark.req("OPS-3")
async def test_a_worker_that_dies_is_started_again_after_ever_longer_pauses() -> None:
    stop = asyncio.Event()
    scripts = Scripts(SERVE + "sys.exit(3)", then=lambda started: stop.set() if started == 6 else None)
    with capture_logs() as logs:
        async with asyncio.timeout(IN_TIME):
            await supervise(scripts, 1, stop, QUICK)
    ended = [line for line in logs if line["event"] == "worker_ended"]
    assert [(line["code"], line["again_in"]) for line in ended] == [
        (3, 0.01),
        (3, 0.02),
        (3, 0.04),
        (3, 0.04),
        (3, 0.04),
    ]


async def test_a_worker_that_had_settled_is_started_again_soon() -> None:
    stop = asyncio.Event()
    scripts = Scripts(SERVE + "sys.exit(3)", then=lambda started: stop.set() if started == 4 else None)
    with capture_logs() as logs:
        async with asyncio.timeout(IN_TIME):
            await supervise(scripts, 1, stop, Patience(first=0.01, longest=1, settled=0, drain=10))
    assert [line["again_in"] for line in logs if line["event"] == "worker_ended"] == [0.01] * 3


@pytest.mark.req("OPS-4")
async def test_a_worker_that_has_served_may_fail_to_start_again_and_is_tried_on() -> None:
    stop = asyncio.Event()
    scripts = Scripts(
        SERVE + "sys.exit(3)", "raise SystemExit(2)", then=lambda started: stop.set() if started == 4 else None
    )
    async with asyncio.timeout(IN_TIME):
        await supervise(scripts, 1, stop, QUICK)
    assert scripts.started == 4


@pytest.mark.req("OPS-4")
async def test_workers_are_ended_in_peace_and_killed_when_their_time_is_over(tmp_path: Path) -> None:
    path = tmp_path / "reports"
    # Held back and waited for: a handler may run between the last look and the waiting, which then has no end.
    held = "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM}); "
    deaf = "import os, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    serve = f"os.write(int(sys.argv[1]), b'.'); {says(path, '{os.getpid()}')}"
    ends = f"\nsignal.sigwait({{signal.SIGTERM}}); {says(path, 'ended')}"
    stop = asyncio.Event()
    scripts = Scripts(held + serve + ends, deaf + serve + "\nwhile True: signal.pause()")
    async with asyncio.timeout(IN_TIME), reports(path) as reported:
        running = asyncio.create_task(supervise(scripts, 2, stop, Patience(drain=0.5)))
        processes = [int(await reported.readline()) for _ in range(2)]
        with capture_logs() as logs:
            stop.set()
            await running
        assert await reported.readline() == b"ended\n"
    assert [line["event"] for line in logs] == ["worker_killed"]
    assert [is_running(process) for process in processes] == [False, False]


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize("early", [True, False])
async def test_a_worker_hears_once_that_its_supervisor_has_ended_before_it_served_or_after(*, early: bool) -> None:
    theirs, line = socket.socketpair()
    supervisor = Supervisor(line.detach())
    heard: list[str] = []
    gone = asyncio.Event()

    def hear() -> None:
        heard.append("gone")
        gone.set()

    with theirs:
        if not early:
            supervisor.tell(hear)
            assert theirs.recv(2) == b"."
            await asyncio.sleep(0)
            assert heard == []
    if early:
        supervisor.tell(hear)
    async with asyncio.timeout(IN_TIME):
        await gone.wait()
    for _ in range(3):
        await asyncio.sleep(0)
    assert heard == ["gone"]
    supervisor.close()
