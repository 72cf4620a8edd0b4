"""``make bench``: run every measurement and print one table. Takes about five minutes."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeAlias

import uvloop

from bench.extent import FULL, QUICK, Extent
from bench.parts import blocks, names, pages, qr, rush, tokens
from bench.servers import Backends, backends, form_servers, page_servers, qr_servers, token_servers
from bench.table import Found, Line, machine, table

RESULTS: Final = Path("bench/results")

Part: TypeAlias = Callable[[Path, Backends, Extent], Coroutine[Any, Any, Found]]


async def _qr(folder: Path, stores: Backends, extent: Extent) -> Found:
    async with qr_servers(folder, stores) as servers:
        return await qr.measure(servers, extent)


async def _pages(folder: Path, stores: Backends, extent: Extent) -> Found:
    async with page_servers(folder, stores) as servers:
        return await pages.measure(servers, extent)


async def _rush(folder: Path, _: Backends, extent: Extent) -> Found:
    async with form_servers(folder) as servers:
        return await rush.measure(servers, extent)


async def _blocks(folder: Path, _: Backends, extent: Extent) -> Found:
    async with form_servers(folder) as servers:
        return await blocks.measure(servers, extent)


async def _names(folder: Path, _: Backends, extent: Extent) -> Found:
    async with form_servers(folder, known=extent.strangers) as servers:
        return await names.measure(servers, extent)


async def _tokens(folder: Path, stores: Backends, extent: Extent) -> Found:
    async with token_servers(folder, stores) as servers:
        return await tokens.measure(servers, extent)


PARTS: Final[dict[str, Part]] = {
    "qr": _qr,
    "pages": _pages,
    "rush": _rush,
    "blocks": _blocks,
    "names": _names,
    "tokens": _tokens,
}


async def measure(chosen: list[str], extent: Extent, folder: Path) -> tuple[Found, str]:
    """Run the chosen parts one after the other, each with servers of its own; return the table and the machine."""
    lines: list[Line] = []
    figures: dict[str, object] = {}
    with backends(folder) as stores:
        named = machine(stores.names)
        for name in chosen:
            (folder / name).mkdir()
            found = await PARTS[name](folder / name, stores, extent)
            lines += found.lines
            figures |= found.figures
    return Found(lines, {"extent": extent._asdict(), **figures}), named


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run, for trying a change")
    parser.add_argument("--only", action="append", choices=PARTS, metavar="PART", help=f"one of {', '.join(PARTS)}")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bjidp-bench-") as folder:
        found, named = uvloop.run(measure(chosen.only or list(PARTS), QUICK if chosen.quick else FULL, Path(folder)))
    print(f"\n{named}\n\n{table(found.lines)}")
    RESULTS.mkdir(exist_ok=True)
    result = {"machine": named, "lines": [line._asdict() for line in found.lines], "figures": found.figures}
    (RESULTS / "latest.json").write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
