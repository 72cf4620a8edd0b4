"""The server under measurement: the product as it is served, with a probe beside it.

``python -m bench.server SETTINGS``, a JSON file of the sections that a configuration has.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import uvloop

from bench.probe import Probe
from bjidp import serving
from bjidp.config.loader import read
from bjidp.config.settings import Settings


async def _run(settings: Settings) -> None:
    serving_it = asyncio.create_task(serving.run(settings))
    await asyncio.sleep(0)
    Probe().listen()
    await serving_it


def main(path: Path) -> None:
    settings = read(json.loads(path.read_text(encoding="utf-8")), {}, beside=path.parent)
    uvloop.run(_run(settings))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
