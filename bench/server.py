"""The server under measurement: the product as it is served, with a probe beside it.

``python -m bench.server SETTINGS [ANSWERS]``: a JSON file of the sections that a configuration has, and the file where
a demonstration's server writes what its captchas show (``bench.captchas``).
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import uvloop

from bench.captchas import telling
from bench.probe import Probe
from bjidp.bootstrap import Witnessing
from bjidp.commands.log import log_to_stderr
from bjidp.config.loader import read
from bjidp.config.settings import Settings
from bjidp.serving.server import run


async def _run(settings: Settings, witnessing: Witnessing | None) -> None:
    serving_it = asyncio.create_task(run(settings, witnessing))
    await asyncio.sleep(0)
    Probe().listen()
    await serving_it


def main(path: Path, answers: Path | None = None) -> None:
    log_to_stderr()
    settings = read(json.loads(path.read_text(encoding="utf-8")), {}, beside=path.parent)
    uvloop.run(_run(settings, None if answers is None else telling(answers)))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
