"""The table, and the machine it was measured on."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

LIBRARIES: Final = (
    "aiohttp",
    "uvloop",
    "msgspec",
    "SQLAlchemy",
    "psycopg",
    "redis",
    "cryptography",
    "argon2-cffi",
    "pillow",
)


class Line(NamedTuple):
    """One figure: the ratio and its bar first, then what it is the ratio of."""

    figure: str
    ratio: str
    spread: str
    bar: str
    met: bool | None
    measured: str
    floor: str


class Found(NamedTuple):
    """What a part of a run has found: its lines, and the figures behind them."""

    lines: list[Line]
    figures: dict[str, object]


BLOCK: Final = 0.05
"""Seconds that the event loop may be blocked."""


def block(when: str, own: tuple[float, float], floor: tuple[float, float] | None = None) -> Line:
    """Return the line of the longest block while something was done: the server's own, and the floor's meanwhile."""
    return Line(
        f"longest block, {when}",
        "" if floor is None else f"{own[0] / floor[0]:.2f}",
        "",
        f"<= {BLOCK * 1e3:.0f} ms",
        own[0] <= BLOCK,
        _block(own),
        "" if floor is None else _block(floor),
    )


def progress(what: str) -> None:
    """Say what is being measured."""
    print(what, file=sys.stderr, flush=True)


def machine(servers: list[str]) -> str:
    """Say what everything ran on."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{_processor()}, {os.cpu_count()} cores (load before the run: {load}), Linux {platform.release()}\n"
        f"{platform.python_implementation()} {platform.python_version()}, {libraries}\n"
        f"{', '.join(servers)}"
    )


def table(lines: list[Line]) -> str:
    """Return the lines as text in columns."""
    heads = ("figure", "ratio", "rounds", "bar", "", "measured", "floor of this run")
    rows = [heads]
    rows += [
        (line.figure, line.ratio, line.spread, line.bar, _verdict(line), line.measured, line.floor) for line in lines
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _block(block: tuple[float, float]) -> str:
    longest, computing = block
    return f"{longest * 1e3:.1f} ms ({computing * 1e3:.1f} computing)"


def _verdict(line: Line) -> str:
    if line.met is None:
        return ""
    return "met" if line.met else "OVER"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
