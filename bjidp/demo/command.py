"""``bjidp demo``: everything on one machine."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from bjidp.commands.arguments import DEMO, Commands


def add(commands: Commands) -> None:
    """Add the command."""
    demo = commands.add_parser("demo", help="run server, sandbox, phone simulator and portal on this machine")
    demo.add_argument("--port", type=int, default=8080, help="of the server; the other two take the next ones")
    demo.add_argument("--data", type=Path, default=DEMO, metavar="DIR", help="where it keeps its data")
    demo.add_argument("--lan", action="store_true", help="listen on the local network, over https, for a real phone")
    demo.set_defaults(run=_run)


def _run(chosen: argparse.Namespace, _: Mapping[str, str]) -> None:
    from bjidp.demo.running import run_demo

    run_demo(chosen.port, chosen.data, lan=chosen.lan)
